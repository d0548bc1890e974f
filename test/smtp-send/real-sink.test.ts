import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { program, type RunningProgram } from '../lib/program.ts';
import { FakeWork } from './fake-work.ts';
import { senderBench } from './sender-bench.ts';

const sink = '/usr/sbin/smtp-sink';
const skip = existsSync(sink) ? false : 'smtp-sink of the Debian package postfix is not installed';

/** Postfix's own test server, with the faults that its options make. */
function startSink(options: readonly string[]): Promise<RunningProgram> {
  const asRoot = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  return program(sink, (port) => [...asRoot, ...options, `127.0.0.1:${port}`, '100'], '/');
}

const smartHostOf = ({ port }: RunningProgram): string => `[127.0.0.1]:${port}`;

const rows: readonly (readonly [name: string, options: readonly string[], first: RegExp, result: 'done' | 'failed'])[] =
  [
    ['as it is', [], /^(?:delivered|relayed) 250 /, 'done'],
    ['without PIPELINING', ['-p'], /^(?:delivered|relayed) 250 /, 'done'],
    ['without EHLO (-e)', ['-e'], /^relayed 250 /, 'done'],
    ['refuses EHLO', ['-f', 'EHLO'], /^relayed 250 /, 'done'],
    ['refuses MAIL hard', ['-f', 'MAIL'], /^failed 5/, 'done'],
    ['refuses MAIL softly', ['-r', 'MAIL'], /^deferred 4/, 'done'],
    ['refuses RCPT hard', ['-f', 'RCPT'], /^failed 5/, 'done'],
    ['refuses RCPT softly', ['-r', 'RCPT'], /^deferred 4/, 'done'],
    ['refuses DATA hard', ['-f', 'DATA'], /^failed 5/, 'done'],
    ['refuses DATA softly', ['-r', 'DATA'], /^deferred 4/, 'done'],
    ['refuses the final dot hard', ['-f', '.'], /^failed 5/, 'done'],
    ['refuses the final dot softly', ['-r', '.'], /^deferred 4/, 'done'],
    ['hangs up at MAIL', ['-q', 'MAIL'], /^deferred 451 4\.4\.2/, 'failed'],
    ['hangs up at RCPT', ['-q', 'RCPT'], /^deferred 451 4\.4\.2/, 'done'],
    ['hangs up at DATA', ['-q', 'DATA'], /^deferred 451 4\.4\.2/, 'done'],
    ['hangs up at the final dot', ['-q', '.'], /^deferred 451 4\.4\.2 .*twice/, 'done'],
    ['421 and away at RCPT', ['-Q', 'RCPT'], /^deferred 421/, 'done'],
    ['421 and away at the greeting', ['-Q', 'CONNECT'], /^untouched/, 'failed'],
  ];

for (const [name, options, first, result] of rows) {
  test(`smtp-sink ${name}`, { skip }, async () => {
    await using running = await startSink(options);
    const { sender } = senderBench({ smartHosts: [smartHostOf(running)] });
    const work = new FakeWork([{}, {}]);
    assert.equal((await sender.deliver(work)).kind, result);
    assert.match(work.story[0]?.[0] ?? '', first);
    const [kind] = (work.story[1]?.[0] ?? '').split(' ');
    const [expected] = (work.story[0]?.[0] ?? '').split(' ');
    const gone = options[0]?.toUpperCase() === '-Q' || options[0] === '-q';
    assert.equal(
      kind,
      gone ? 'untouched' : expected,
      'the second message shares the fate, or waits for another connection',
    );
  });
}

test('smtp-sink: a thousand messages over ten kept connections', { skip }, async () => {
  await using running = await startSink([]);
  const { sender } = senderBench({ smartHosts: [smartHostOf(running)], smtpMaxMessagesPerConnection: 0 });
  const work = new FakeWork(Array.from({ length: 1_000 }, () => ({})));
  await Promise.all(Array.from({ length: 10 }, () => sender.deliver(work)));
  assert.ok(work.story.every(([outcome]) => /^(?:delivered|relayed) 250/.test(outcome ?? '')));
});
