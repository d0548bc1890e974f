import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WatchedChild } from '../../src/processes/child.ts';
import {
  type Account,
  barrier,
  defaultStateFolder,
  findAccount,
  lockHolder,
  lockStateFolder,
  prepareStateFolder,
  StateLockedError,
  serviceAccount,
  statePaths,
} from '../../src/processes/index.ts';
import { BindError, bindSocket, probeBinding } from '../../src/processes/listen-sockets.ts';
import { freePort } from '../lib/ports.ts';

function temporary(t: { after(call: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-supervisor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process that answers 'echo', and ends at once when told to 'crash'. */
const childSource = (room: string): string => `
  import { Bus, channelToParent, toSupervisor } from '${room}';
  const any = { argument: (value) => value, answer: (value) => value };
  const heard = { echo: any, fail: any, crash: any, stop: any, flood: any, environment: any };
  const bus = new Bus(channelToParent(), { out: toSupervisor, in: heard }, () => {});
  bus.handle('echo', (argument) => argument);
  bus.handle('fail', () => { throw new Error('on purpose'); });
  bus.handle('crash', () => process.kill(process.pid, 'SIGKILL'));
  bus.handle('environment', () => ({ names: Object.keys(process.env), terminals: [0, 1, 2].filter((fd) => tty.isatty(fd)) }));
  bus.handle('stop', () => process.exit(0));
  import tty from 'node:tty';
  process.on('disconnect', () => process.exit(0));
  console.log('edge: hello \\u001b[31m\\u202e');
  bus.notify('ready');`;

interface Crash {
  readonly reason: string;
  readonly delayMs: number;
}

function watched(t: { after(call: () => void | Promise<void>): void }, folder: string) {
  const entry = join(folder, 'child.mjs');
  writeFileSync(entry, childSource(fileURLToPath(new URL('../../src/processes/index.ts', import.meta.url))));
  let ready = Promise.withResolvers<void>();
  const crashes: Crash[] = [];
  const said: string[] = [];
  const failures: string[] = [];
  const child = new WatchedChild(
    { name: 'test child', entry, arguments: [], nodeOptions: ['--disable-warning=ExperimentalWarning'] },
    {
      started: (started) => started.bus?.handle('ready', () => ready.resolve()),
      crashed: (_, reason, delayMs) => void crashes.push({ reason, delayMs }),
      said: (_, line) => void said.push(line),
      failed: (_, text) => void failures.push(text),
    },
  );
  t.after(() => child.stop(1000));
  child.start();
  const nextReady = async (): Promise<void> => {
    await ready.promise;
    ready = Promise.withResolvers();
  };
  return { child, crashes, said, failures, nextReady };
}

test('a request is answered, with what was thrown or what was returned', async (t) => {
  const { child, nextReady } = watched(t, temporary(t));
  await nextReady();
  const value = { text: 'x', list: [1, null, { deep: true }] };
  assert.deepEqual(await child.bus?.relay('echo', value), value);
  await assert.rejects(child.bus?.relay('fail', 1) ?? Promise.resolve(), /on purpose/);
  await assert.rejects(child.bus?.relay('nothing', 1) ?? Promise.resolve(), /nobody answers 'nothing'/);
});

test('a process has its own session, pipes instead of the terminal, few variables, and cannot gain rights', async (t) => {
  process.env['EDGE_TEST_SECRET'] = 'x';
  t.after(() => void delete process.env['EDGE_TEST_SECRET']);
  const { child, said, nextReady } = watched(t, temporary(t));
  await nextReady();
  assert.ok(child.bus !== undefined);
  const { names, terminals } = (await child.bus.relay('environment', null)) as {
    names: string[];
    terminals: number[];
  };
  assert.deepEqual(terminals, []);
  const allowed =
    /^(?:PATH|TZ|LANG|LC_ALL|MALLOC_\w+|SSL_CERT_\w+|NODE_(?:EXTRA_CA_CERTS|CHANNEL_\w+|COMPILE_CACHE)|LOCALDOMAIN|RES_OPTIONS|CREDENTIALS_DIRECTORY|EDGE_KEY_PASSPHRASE)$/;
  assert.deepEqual(
    names.filter((name) => !allowed.test(name)),
    [],
  );
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
  const [, , , session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  assert.deepEqual([Number(session), terminal], [child.pid, '0'], 'TIOCSTI reaches nobody');
  assert.match(readFileSync(`/proc/${child.pid}/status`, 'utf8'), /^NoNewPrivs:\s+1$/m);
  assert.deepEqual(said, ['hello <U+001B>[31m<U+202E>'], 'what it says does not act on the terminal');
});

test('a process that crashes comes back, at once the first time, later when it goes on', async (t) => {
  const { child, crashes, nextReady } = watched(t, temporary(t));
  await nextReady();
  for (let i = 0; i < 3; i++) {
    const pending = child.bus?.relay('crash', undefined);
    await assert.rejects(pending ?? Promise.resolve(), /the process is gone/);
    await nextReady();
    assert.equal(await child.bus?.relay('echo', i), i);
  }
  assert.deepEqual(crashes, [
    { reason: 'SIGKILL', delayMs: 0 },
    { reason: 'SIGKILL', delayMs: 250 },
    { reason: 'SIGKILL', delayMs: 500 },
  ]);
  assert.equal(child.restarts, 3);
});

test('a port that another program holds is told as such', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const { port } = server.address() as { port: number };
  assert.throws(
    () => probeBinding({ address: '127.0.0.1', port }),
    (error: BindError) => {
      assert.ok(error instanceof BindError);
      assert.equal(error.code, 'EADDRINUSE');
      assert.match(error.message, /another program listens there/);
      return true;
    },
  );
  assert.throws(() => probeBinding({ address: '203.0.113.1', port: 2525 }), /the address is not on this machine/);
});

// How relay connectors are made by the book: one on an address of its own, and the default one on all.
for (const [first, second] of [
  ['127.33.44.5', '0.0.0.0'],
  ['0.0.0.0', '127.33.44.5'],
  ['::1', '::'],
  ['::', '::1'],
] as const) {
  test(`a binding on ${second} is served beside our own on ${first}, and not beside another program's`, async (t) => {
    const port = await freePort();
    const own = bindSocket({ address: first, port });
    t.after(() => own.close());
    assert.equal(own.listen(1), 0);
    const binding = { address: second, port };
    probeBinding(binding, [own]);
    const beside = bindSocket(binding);
    t.after(() => beside.close());
    assert.equal(beside.listen(1), 0);
    assert.throws(() => probeBinding(binding, []), /another program listens there/);
    assert.throws(() => probeBinding(binding, [own]), /another program listens there/);
    probeBinding(binding, [own, beside]);
  });
}

test('the state directory belongs to one service at a time, and to the next after a crash', (t) => {
  const paths = statePaths(join(temporary(t), 'state'));
  prepareStateFolder(paths);
  for (const path of Object.values(paths) as string[]) assert.equal(statSync(path).mode & 0o777, 0o700, path);
  {
    using _lock = lockStateFolder(paths);
    assert.equal(lockHolder(paths), process.pid);
    assert.throws(() => lockStateFolder(paths), StateLockedError);
  }
  assert.equal(lockHolder(paths), undefined);
  // A lock of a process that is gone (this pid, but begun at another time) does not count.
  writeFileSync(join(paths.root, 'edge.lock'), `${process.pid} 1\n`);
  assert.equal(lockHolder(paths), undefined);
  using _again = lockStateFolder(paths);
  assert.equal(lockHolder(paths), process.pid);
  assert.match(readFileSync(join(paths.root, 'edge.lock'), 'utf8'), new RegExp(`^${process.pid} \\d+\n$`));
});

test('the folder that an account may not enter is found', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'edge-barrier-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const { uid, gid } = statSync(root);
  const inner = join(root, 'private', 'inner');
  mkdirSync(inner, { recursive: true });
  const account = (u: number, g: number): Account => ({ name: 'x', uid: u, gid: g });
  const rows: readonly (readonly [number, number, Account, string | undefined])[] = [
    [0o755, 0o755, account(uid + 70, gid + 70), undefined],
    [0o755, 0o700, account(uid + 70, gid + 70), join(root, 'private')],
    [0o755, 0o710, account(uid + 70, gid), undefined],
    [0o755, 0o701, account(uid + 70, gid), join(root, 'private')],
    [0o700, 0o700, account(uid + 70, gid), root],
    [0o700, 0o700, account(uid, gid), undefined],
    [0o000, 0o000, account(0, 0), undefined],
  ];
  for (const [outer, private_, who, expected] of rows) {
    chmodSync(join(root, 'private'), private_);
    chmodSync(root, outer);
    assert.equal(barrier(inner, who), expected, `${outer.toString(8)} ${private_.toString(8)} ${who.uid}`);
  }
});

test('accounts are found by name and number; one that is missing says what to do', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\nmail:x:8:9::/var/mail:/bin/false\n';
  assert.deepEqual(findAccount('mail', passwd), { name: 'mail', uid: 8, gid: 9 });
  assert.deepEqual(findAccount('8', passwd), { name: 'mail', uid: 8, gid: 9 });
  assert.throws(() => findAccount('edge', passwd), /create it, or name another with --user/);
  if (!/^edge:/m.test(readFileSync('/etc/passwd', 'utf8')))
    assert.throws(() => serviceAccount(undefined), /no account 'edge'.*: useradd --system/);
});

test('who names no state directory gets their own to run, and the one of the machine to use', (t) => {
  const root = temporary(t);
  const system = join(root, 'machine');
  const own = join(root, 'home/.local/state/edge');
  const folder = (purpose: 'run' | 'use', isRoot = false, environment: NodeJS.ProcessEnv = {}): string =>
    defaultStateFolder(purpose, { HOME: join(root, 'home'), ...environment }, { system, isRoot });
  assert.equal(folder('use', false, { EDGE_STATE: '/elsewhere' }), '/elsewhere');
  assert.equal(folder('run', true), system);
  assert.equal(folder('use'), own, 'neither is there yet');
  mkdirSync(system);
  assert.equal(folder('use'), system);
  assert.equal(folder('run'), own);
  mkdirSync(own, { recursive: true });
  assert.equal(folder('use'), own);
});
