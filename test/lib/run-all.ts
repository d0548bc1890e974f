/**
 * Runs every test of the repository and ends with a count. Says each failure with its place, each suite that could not
 * run and why. With CI=true a suite that could not run is a failure.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';

const root = new URL('../..', import.meta.url).pathname;
const patterns = process.argv.slice(2);
const files = globSync(patterns.length > 0 ? patterns : 'test/**/*.test.ts', { cwd: root }).map(
  (file) => `${root}${file}`,
);
// Suites that start whole appliances come last, so that quick failures are seen at once.
files.sort((a, b) => Number(a.includes('/e2e/')) - Number(b.includes('/e2e/')) || a.localeCompare(b));

/** The seed of the properties (`properties.ts`): none where no commit can be named. */
const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
if (commit !== '')
  process.env['EDGE_PROPERTY_SEED'] ??= String(createHash('sha256').update(commit).digest().readInt32LE());

/** The longest that all the tests may take, in minutes. */
const wholeMinutes = 60;

let passed = 0;
let failed = 0;
const skipped: string[] = [];
const perFile = new Map<string, { passed: number; failed: number; ms: number }>();

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const shortPath = (file: string | undefined): string => relative(root, file ?? '');

// Some 300 processes load much the same: as the command itself does, they keep what was compiled.
process.env['NODE_COMPILE_CACHE'] ??= `${root}node_modules/.cache/compile`;

/** Two more than there are processors: many tests wait for a peer or for a limit of time. */
const concurrency = availableParallelism() + 2;

// Not --test-force-exit: it ends a process before all of its results are out.
const execArgv = ['--disable-warning=ExperimentalWarning', '--import', `${root}test/lib/end-of-file.ts`];
const stream = run({ files, concurrency, timeout: 600_000, execArgv });
const unfinished = new Set<string>();
const wholeRun = setTimeout(() => {
  say(
    `\nFAILED the run took more than ${wholeMinutes} minutes; not finished: ${[...unfinished].map(shortPath).join(' ')}`,
  );
  process.exit(1);
}, wholeMinutes * 60_000);
stream.on('test:dequeue', ({ file, nesting }) => {
  if (nesting === 0 && file !== undefined) unfinished.add(file);
});
stream.on('test:complete', ({ file, nesting }) => {
  if (nesting === 0 && file !== undefined) unfinished.delete(file);
});
// Of a process that ends in the middle of its tests the runner may tell nothing: its own summary is the sign that it came to its end.
const atTheirEnd = new Set<string>();
stream.on('test:summary', ({ file }) => {
  if (file !== undefined) atTheirEnd.add(file);
});
stream.on('test:pass', ({ name, file, skip, details }) => {
  if (details.type === 'suite') return;
  const entry = entryOf(file);
  entry.ms += details.duration_ms;
  if (skip !== undefined && skip !== false)
    skipped.push(`${shortPath(file)}: ${name}: ${typeof skip === 'string' ? skip : 'skipped'}`);
  else {
    passed++;
    entry.passed++;
  }
});
stream.on('test:fail', ({ name, file, line, details }) => {
  if (details.type === 'suite' && /subtests? failed/.test(details.error.message)) return;
  failed++;
  entryOf(file).failed++;
  const cause = details.error.cause ?? details.error;
  say(`\nFAILED ${shortPath(file)}:${line ?? ''} ${name}\n${typeof cause === 'string' ? cause : inspect(cause)}\n`);
});
stream.on('test:stderr', ({ file, message }) => void process.stderr.write(`${shortPath(file)}: ${message}`));
for await (const _ of stream) {
  // Reading the stream keeps it going; the listeners above do the work.
}

clearTimeout(wholeRun);
for (const file of files.filter((name) => !atTheirEnd.has(name))) {
  failed++;
  entryOf(file).failed++;
  say(`\nFAILED ${shortPath(file)} its process ended before its last test\n`);
}
for (const [file, { passed: good, failed: bad, ms }] of perFile)
  say(`${bad > 0 ? 'FAILED' : 'ok    '} ${shortPath(file)}  ${good} in ${Math.round(ms)} ms`);
for (const text of skipped) say(`not run: ${text}`);
const notAllowed = process.env['CI'] === 'true' && skipped.length > 0;
if (notAllowed) say('With CI=true every suite must run.');
say(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
process.exitCode = failed > 0 || notAllowed || passed === 0 ? 1 : 0;

function entryOf(file: string | undefined): { passed: number; failed: number; ms: number } {
  const key = file ?? '';
  const entry = perFile.get(key) ?? { passed: 0, failed: 0, ms: 0 };
  perFile.set(key, entry);
  return entry;
}
