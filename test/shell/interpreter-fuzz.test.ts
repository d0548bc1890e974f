import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';
import { scripts, tokenSoup } from './lib/grammar.ts';
import { TestShell } from './lib/test-shell.ts';

const cases = Number(process.env['EDGE_FUZZ_CASES'] ?? 0);

/** An endless loop is cancelled after this time; it may work twenty times as long until it has ended. */
const limitMs = 100;

/** Runs a text; whatever it is, it ends, and every failure is one that the shell foresaw. */
async function runs(text: string): Promise<void> {
  const shell = new TestShell();
  const worked = cpuTime();
  let last: string | undefined;
  const options = { width: 80, colour: false, signal: AbortSignal.timeout(limitMs) };
  for await (const { kind } of shell.shell.run(text, options)) last = kind;
  assert.deepEqual(shell.bugs, [], text);
  assert.equal(last, 'end', text);
  assert.ok(worked() < 20 * limitMs, `${worked()} ms: ${text}`);
}

test('a script made from the grammar runs or fails in the words of the shell', async () => {
  await fc.assert(fc.asyncProperty(scripts, runs), { numRuns: cases || 150, endOnFailure: true });
});

test('a row of tokens runs or fails in the words of the shell', async () => {
  await fc.assert(fc.asyncProperty(tokenSoup, runs), { numRuns: cases || 1500, endOnFailure: true });
});

for (const work of [
  '@() * (10MB)',
  '(1..1000000) -eq 0',
  "'x' * 9000000 -like '*y'",
  '(1..900000) + 1 | Measure-Object',
])
  test(`a loop of long operations is cancelled between two of them: ${work}`, () => runs(`while (1) { $x = ${work} }`));
