import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandParts, runCommand, type ShellOptions, type StartOptions } from '../../src/cli/index.ts';
import { renderChain } from '../../src/cli/why.ts';
import { sampleEvents } from '../logs/sample-events.ts';

/** Runs the command with parts that only take note. */
async function run(...args: string[]) {
  const started: StartOptions[] = [];
  const shells: ShellOptions[] = [];
  const parts: CommandParts = {
    start: async (options) => {
      started.push(options);
      return 0;
    },
    shell: async (options) => {
      shells.push(options);
      return 1;
    },
    connectors: () => Promise.reject(new Error('no connectors here')),
    directory: {
      ready: () => Promise.resolve(),
      open: () => Promise.reject(new Error('no directory here')),
      openBackup: () => Promise.reject(new Error('no backup here')),
      openScratch: () => Promise.reject(new Error('no scratch here')),
    },
  };
  let out = '';
  let error = '';
  const terminal = { out: (text: string) => void (out += text), error: (text: string) => void (error += text) };
  const status = await runCommand(args, parts, terminal, '1.2.3');
  return { status, out, error, started, shells };
}

const usage: readonly (readonly [args: string[], says: RegExp])[] = [
  [[], /Usage: edge/],
  [['frob'], /unknown command 'frob'/],
  [['start', '--workers', '0'], /a whole number from 1 to 1024 is needed/],
  [['start', '--workers', 'many'], /a whole number from 1 to 1024 is needed/],
  [['start', '--role', 'Hub'], /Allowed choices are EdgeTransport, Mailbox/],
  [['start', '--nonsense'], /unknown option '--nonsense'/],
  [['why'], /missing required argument 'about'\n\(edge why --help tells more\)/],
  [['sync', 'undo'], /missing required argument 'edge'\n\(edge sync undo --help tells more\)/],
  [['why', 'what'], /is none of: a session id/],
];
for (const [args, says] of usage) {
  test(`edge ${args.join(' ')} is wrong usage, and says why`, async () => {
    const { status, out, error } = await run(...args);
    assert.equal(status, 64);
    assert.match(out + error, says);
  });
}

for (const command of ['start', 'shell', 'status', 'why']) {
  test(`edge ${command} --help has examples`, async () => {
    const { status, out } = await run(command, '--help');
    assert.equal(status, 0);
    assert.match(out, /Examples:\n {2}edge /);
    assert.match(out, /--state <dir>/);
  });
}

test('a group has the word help, as the program has', async () => {
  for (const [args, says] of [
    [['sync', 'help'], /^Usage: edge sync /],
    [['sync', 'help', 'plan'], /^Usage: edge sync plan /],
    [['directory', 'help', 'export'], /^Usage: edge directory export /],
  ] as const) {
    const { status, out } = await run(...args);
    assert.equal(status, 0);
    assert.match(out, says);
  }
});

test('options reach the services as they were given', async () => {
  const { started } = await run('start', '--state', '/srv/x', '--role', 'Mailbox', '--workers', '3', '--user', 'mail');
  assert.deepEqual(started, [{ state: '/srv/x', role: 'Mailbox', workers: 3, allowPort: [], user: 'mail' }]);
});

test('--state may stand before any word of the command', async () => {
  const { started, shells } = await run('--state', '/srv/x', 'start', '--workers', '3');
  assert.deepEqual(started, [{ state: '/srv/x', role: 'EdgeTransport', workers: 3, allowPort: [] }]);
  assert.deepEqual(shells, []);
  const { status, error } = await run('directory', '--state=/nonexistent/edge', 'account', 'list');
  assert.equal(status, 2, error);
  assert.doesNotMatch(error, /unknown option/);
  for (const args of [['--state'], ['--state', '/srv/x'], ['directory', '--state'], ['directory', '--state', '/srv/x']])
    assert.equal((await run(...args)).status, 64, args.join(' '));
});

test('lines keep their order, and a failed line is exit status 1', async () => {
  const { status, shells } = await run('shell', '--state', '/s', '-c', 'one', '-c', 'two', 'a.ps1');
  assert.equal(status, 1);
  assert.deepEqual(shells[0]?.lines, ['one', 'two']);
  assert.deepEqual(shells[0]?.files, ['a.ps1']);
});

test('nothing runs: status 2, for programs too', async () => {
  const text = await run('status', '--state', '/nonexistent/edge');
  assert.equal(text.status, 2);
  assert.match(text.error, /there is no state directory .*edge start/);
  const json = await run('status', '--state', '/nonexistent/edge', '--json');
  assert.equal(json.status, 2);
  assert.equal((JSON.parse(json.out) as { running: boolean }).running, false);
});

test('a chain reads from top to bottom, with the time of each step', () => {
  const text = renderChain({ title: 'message 77', events: sampleEvents });
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, sampleEvents.length + 1);
  assert.match(
    lines[1] ?? '',
    /^ {6}\+0 ms {2}connection from 127\.0\.0\.9:40000 .* taken by receive connector 'Default'/,
  );
});
