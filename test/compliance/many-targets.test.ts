/**
 * A long list of targets: tested several at once with a reduced set of probes, stopped half way, gone on with, in flat memory.
 * EDGE_TARGETS=1000 is the long form; it says what memory it saw.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { makeChains } from '../../certs/make.ts';
import { edgeCommand } from '../lib/appliance.ts';

const count = Number(process.env['EDGE_TARGETS'] ?? 60);
/** Growth between the first and the last quarter, in megabytes. */
const mostGrowth = 40;

let folder: string;
const servers: Server[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-many-'));
  const { rootPem, chains } = makeChains(Date.now(), ['good-ec']);
  const { keyPem = '', chainPem = '' } = chains['good-ec'] ?? {};
  writeFileSync(join(folder, 'root.pem'), rootPem);
  const tls = createTlsServer({ key: keyPem, cert: chainPem, minVersion: 'TLSv1.3' }, (socket) =>
    socket.on('error', () => undefined),
  );
  tls.on('tlsClientError', () => undefined);
  let port = 0;
  const targets: string[] = [];
  for (let i = 0; i < count; i++) {
    const host = `127.2.${i >> 8}.${i & 0xff}`;
    const server = createServer((socket) => void tls.emit('connection', socket));
    server.listen({ port, host });
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
    servers.push(server);
    targets.push(`${host}:${port}`);
  }
  writeFileSync(join(folder, 'targets.txt'), `${targets.join('\n')}\n`);
});
after(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const output = (): string => join(folder, 'all.json');
const done = (): number => (existsSync(output()) ? readFileSync(output(), 'latin1').split('\n').length - 1 : 0);

function start(): ChildProcess {
  const form = ['--tls', '--parallel', '--reduced', '--hosts', '16', '--json', '--profile', 'anssi-1.2'];
  const files = ['--ca', 'root.pem', '--output', 'all.json', '--resume', 'all.json'];
  return spawn(edgeCommand, ['tls', 'test', 'targets.txt', ...form, ...files], { cwd: folder, stdio: 'ignore' });
}

function megabytes({ pid }: ChildProcess): number {
  const text = readFileSync(`/proc/${pid ?? 0}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

/** Samples of [targets done, megabytes] until so many are done, or the process ends. */
async function follow(child: ChildProcess, until: number): Promise<(readonly [number, number])[]> {
  const samples: (readonly [number, number])[] = [];
  while (child.exitCode === null && done() < until) {
    samples.push([done(), megabytes(child)]);
    await pause(50);
  }
  return samples;
}

test(`${count} targets of a file: stopped, gone on with, in flat memory`, { timeout: 600_000 }, async (t) => {
  const first = start();
  await follow(first, count / 4);
  first.kill('SIGINT');
  if (first.exitCode === null) await once(first, 'exit');
  const before = done();
  assert.ok(before >= count / 4 && before < count, `${before} targets before the stop`);
  const second = start();
  const samples = await follow(second, count);
  if (second.exitCode === null) await once(second, 'exit');
  const lines = readFileSync(output(), 'utf8').trimEnd().split('\n');
  const asked = lines.map((line) => (JSON.parse(line) as { target: { asked: string } }).target.asked);
  assert.equal(new Set(asked).size, count);
  assert.equal(lines.length, count, 'none was tested twice');
  const most = (from: number, to: number): number =>
    Math.max(0, ...samples.flatMap(([at, rss]) => (at >= from * count && at <= to * count ? [rss] : [])));
  const [early, late] = [most(0.25, 0.5), most(0.75, 1)];
  t.diagnostic(`${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} MB in the last`);
  assert.ok(early > 0 && late - early < mostGrowth, `${early} to ${late} MB`);
});
