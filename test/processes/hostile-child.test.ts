/** A process that was broken into against its supervisor, which may be root's: it is ended, and neither stops, grows nor fills the supervisor. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { channelToChild, readJsonLines } from '../../src/processes/bus/channels.ts';
import { WatchedChild } from '../../src/processes/child.ts';
import { Bus, channelPair } from '../../src/processes/index.ts';
import { launch } from '../../src/processes/launch/launch.ts';
import { bindSocket } from '../../src/processes/listen-sockets.ts';
import { freePort } from '../lib/ports.ts';

const mib = 1024 ** 2;

function entryOf(t: TestContext, source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-hostile-child-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const entry = join(folder, 'child.mjs');
  writeFileSync(entry, `import fs from 'node:fs'; import net from 'node:net';\n${source}`);
  return entry;
}

const planOf = (entry: string) => ({ name: 'test child', entry, arguments: [], nodeOptions: [] });

interface Watched {
  readonly child: WatchedChild;
  /** Why it ended. */
  readonly ended: Promise<string>;
  readonly failures: string[];
}

function watch(t: TestContext, source: string): Watched {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const failures: string[] = [];
  const child = new WatchedChild(planOf(entryOf(t, source)), {
    started: () => {},
    crashed: (_, reason) => resolve(reason),
    said: () => {},
    failed: (_, text) => void failures.push(text),
  });
  t.after(() => child.stop(0));
  child.start();
  return { child, ended, failures };
}

/** Octets that this process holds. */
const held = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const stays = 'setInterval(() => {}, 1000);';
/** What it does on the descriptors that it got from its supervisor: 3 is the runtime's own channel, 4 the way up. */
const cases: Readonly<Record<string, readonly [source: string, reason: RegExp]>> = {
  'octets without end on the own channel': [
    'const a = Buffer.alloc(65536, 0x61); const go = () => { try { fs.writeSync(3, a); } catch {} setImmediate(go); }; go();',
    /speaks on the channel that is the runtime's own/,
  ],
  'what is no JSON on the own channel': [`fs.writeSync(3, '{\\n'); ${stays}`, /speaks on the channel/],
  'a message on the own channel': [`process.send({ type: 'notice', id: 0, name: 'ready' }); ${stays}`, /speaks on/],
  'that a socket came which was never sent': [
    `fs.writeSync(3, '{"cmd":"NODE_HANDLE_ACK"}\\n'); ${stays}`,
    /speaks on the channel/,
  ],
  'a descriptor for its supervisor': [
    `const s = net.createServer().listen(0, '127.0.0.1', () => process.send('x', s)); ${stays}`,
    /speaks on the channel/,
  ],
  'what is no JSON on the way up': [`fs.writeSync(4, '{\\n'); ${stays}`, /no JSON/],
};

for (const [name, [source, reason]] of Object.entries(cases)) {
  test(`ended: a process that sends ${name}`, { timeout: 60_000 }, async (t) => {
    const before = held();
    const { ended } = watch(t, source);
    assert.match(await ended, reason);
    assert.ok(held() - before < 32 * mib, `${held() - before} octets more`);
  });
}

test('a process that sends wrong messages without end does not fill the log', { timeout: 60_000 }, async (t) => {
  const { failures, ended, child } = watch(
    t,
    `const a = '{"type":"notice","id":0,"name":"x"}\\n'.repeat(2000);
     let n = 0; const go = () => { try { fs.writeSync(4, a); n++; } catch {} if (n < 5) setImmediate(go); else process.exit(7); };
     process.on('message', () => {}); go();`,
  );
  assert.equal(await ended, 'exit status 7');
  await child.stop(0);
  assert.ok(failures.length > 0 && failures.length <= 501, `${failures.length} lines`);
});

test('a line that comes octet by octet takes memory for its octets', async () => {
  const stream = new PassThrough();
  const lines: unknown[] = [];
  readJsonLines(stream, (value) => void lines.push(value), assert.fail);
  const before = held();
  stream.emit('data', Buffer.from('"'));
  // As a socket hands them over: each a buffer of its own.
  for (let i = 0; i < 300_000; i++) stream.emit('data', Buffer.allocUnsafeSlow(1).fill(0x61));
  assert.ok(held() - before < 32 * mib, `${held() - before} octets more`);
  stream.emit('data', Buffer.from('"\n'));
  assert.deepEqual(lines, ['a'.repeat(300_000)]);
});

test('what is asked and not answered yet is bounded', async () => {
  const [one, two] = channelPair();
  const never = { argument: String, answer: String };
  const asked = Promise.withResolvers<string>();
  const supervisor = new Bus(one, { out: {}, in: { never } }, (error) => asked.resolve(error.message));
  supervisor.handle('never', () => new Promise<string>(() => {}));
  for (let id = 1; id <= 4_097; id++) two.send({ type: 'request', id, name: 'never', argument: 'x' });
  assert.equal(await asked.promise, 'too much is asked at once');
});

test('a process that reads nothing is ended', { timeout: 60_000 }, async (t) => {
  const child = launch(planOf(entryOf(t, stays)));
  t.after(() => child.kill('SIGKILL'));
  const breach = Promise.withResolvers<string>();
  const channel = channelToChild(child, breach.resolve, mib);
  child.kill('SIGSTOP');
  for (let i = 0; i < 40; i++) channel.send('x'.repeat(100_000));
  assert.equal(await breach.promise, 'it does not read what it is told');
});

test('sockets come down, one behind the other', { timeout: 60_000 }, async (t) => {
  const serve =
    "process.on('message', (_, s) => net.createServer((c) => c.end('here')).listen(s, () => console.log('x')));";
  const child = launch(planOf(entryOf(t, serve)));
  t.after(() => child.kill('SIGKILL'));
  const channel = channelToChild(child, assert.fail);
  for (let i = 0; i < 3; i++) {
    const port = await freePort();
    const socket = bindSocket({ address: '127.0.0.1', port });
    t.after(() => socket.close());
    const listens = once(child.stdout as Readable, 'data');
    channel.send('listen', socket);
    await listens;
    const client = connect(port, '127.0.0.1');
    const [text] = (await once(client, 'data')) as unknown[];
    assert.equal(String(text), 'here');
  }
});
