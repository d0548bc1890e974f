/**
 * What the appliance needs when much is open at once: memory with idle sessions, memory while large messages are under
 * way, memory and time to start with an empty and with a full spool, and what a drained backlog leaves behind.
 *   node test/bench/limits.ts [--idle 1000,10000] [--large 100] [--spool 100000] [--only idle|large|start|drain]
 */
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Appliance, edge as run } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { heldBy, memoryOf, nameOf, processTree } from './accounting.ts';
import { drive, Sink } from './drive.ts';

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '1000,10000' },
    large: { type: 'string', default: '100' },
    spool: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const workers = Number(values.workers);
const connector = 'Set-ReceiveConnector "Default internal receive connector $server"';

/** Prints what all processes of the appliance hold now. */
function memory(edge: Appliance, what: string): void {
  const { pids } = processTree(edge.pid);
  const { rss, pss } = memoryOf(pids);
  const each = pids.map((pid) => Math.round(memoryOf([pid]).pss)).join(' + ');
  say(`${what}: ${Math.round(pss)} MiB PSS (${each}), ${Math.round(rss)} MiB RSS in ${pids.length} processes`);
}

async function idle(): Promise<void> {
  await using edge = await Appliance.start({
    workers,
    lines: [
      `${connector} -ConnectionTimeout 01:00:00 -ConnectionInactivityTimeout 00:30:00 -MaxInboundConnection Unlimited`,
    ],
  });
  memory(edge, 'no session');
  const open: Socket[] = [];
  for (const count of values.idle.split(',').map(Number)) {
    const start = performance.now();
    while (open.length < count) {
      const some = await Promise.all(
        Array.from({ length: Math.min(100, count - open.length) }, () => session(edge.port)),
      );
      open.push(...some);
    }
    const seconds = (performance.now() - start) / 1000;
    // Idle: what the opening left behind has been given back by then.
    await pause(40_000);
    memory(edge, `${count} idle sessions (opened in ${seconds.toFixed(1)} s)`);
  }
  const alive = open.filter((socket) => !socket.destroyed).length;
  say(`${alive} of ${open.length} still open`);
  for (const socket of open) socket.destroy();
}

/** Prints what each process holds for itself, and how much of its files is in memory. */
function heldMemory(edge: Appliance, what: string, goal: number): void {
  const each = processTree(edge.pid).pids.map((pid) => ({ name: nameOf(pid), ...heldBy(pid) }));
  const anonymous = Math.round(each.reduce((sum, process) => sum + process.anonymous, 0));
  say(`${what}: ${anonymous} MiB anonymous in all, goal below ${goal}: ${anonymous < goal ? 'reached' : 'MISSED'}`);
  for (const { name, anonymous: own, mapped } of each)
    say(
      `  ${name.padEnd(10)} ${own.toFixed(0).padStart(5)} MiB anonymous, ${mapped.toFixed(0).padStart(5)} MiB of files`,
    );
}

/** Greeted and introduced. */
async function session(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'data');
  socket.write('EHLO idle.example\r\n');
  await once(socket, 'data');
  return socket;
}

async function large(): Promise<void> {
  const sinkPort = await freePort();
  await using edge = await Appliance.start({
    workers,
    lines: [
      `${connector} -MaxMessageSize 100MB`,
      'New-AcceptedDomain -Name Bench -DomainName rcpt.test -DomainType Authoritative',
      `New-SendConnector -Name Bench -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${sinkPort} -MaxMessageSize Unlimited`,
    ],
  });
  await using sink = new Sink('127.0.0.1', sinkPort);
  await sink.up;
  const count = Number(values.large);
  let most = { rss: 0, pss: 0 };
  const watch = setInterval(() => {
    const now = memoryOf(processTree(edge.pid).pids);
    if (now.rss > most.rss) most = now;
  }, 200);
  const load = { sessions: count, perConnection: 1, size: 25_000_000, recipients: 1, seconds: 120, most: count };
  const result = await drive({ host: '127.0.0.1', port: edge.port, pid: edge.pid }, sink, load);
  clearInterval(watch);
  say(
    `${count} messages of 25 MB at once: at most ${Math.round(most.pss)} MiB PSS, ${Math.round(most.rss)} MiB RSS; ${result.missing} missing, ${result.duplicates} twice, ${result.wrongLength} damaged, ${result.broken} broken`,
  );
}

async function start(): Promise<void> {
  const closed = await freePort();
  await using edge = await Appliance.prepare({
    workers,
    lines: [
      'New-AcceptedDomain -Name Bench -DomainName rcpt.test -DomainType Authoritative',
      `New-SendConnector -Name Bench -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${closed} -MaxMessageSize Unlimited`,
    ],
  });
  say(`start with an empty spool: ${await timed(() => edge.start())} ms`);
  const count = Number(values.spool);
  await fill(edge, count);
  memory(edge, `${count} messages queued`);
  await pause(quietMs);
  heldMemory(edge, `${count} messages queued, at rest`, 150);
  await edge.stop();
  say(`start with ${count} messages in the spool: ${await timed(() => edge.start())} ms`);
  const all = await timed(async () => {
    while ((await queued(edge)) < count) await pause(50);
  });
  say(`all of them in their queue ${all} ms later`);
  memory(edge, 'after the start');
  await pause(quietMs);
  heldMemory(edge, 'after the start, at rest', 150);
}

/** By then processes have collected their memory, and spools have given back what they hold no more. */
const quietMs = 60_000;

/** Disk and memory behind a backlog that was delivered. */
async function drain(): Promise<void> {
  const sinkPort = await freePort();
  await using edge = await Appliance.start({
    workers,
    lines: [
      'New-AcceptedDomain -Name Bench -DomainName rcpt.test -DomainType Authoritative',
      `New-SendConnector -Name Bench -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${sinkPort} -MaxMessageSize Unlimited`,
    ],
  });
  const count = Number(values.spool);
  await fill(edge, count);
  say(`${count} messages queued: ${spoolSize(edge)} MiB on the disk`);
  await using sink = new Sink('127.0.0.1', sinkPort);
  await sink.up;
  await edge.shell('Get-Queue | Retry-Queue -Confirm:$false');
  while ((await queued(edge)) > 0) await pause(500);
  say(`delivered: ${spoolSize(edge)} MiB on the disk`);
  await pause(quietMs);
  say(`${quietMs / 1000} s later: ${spoolSize(edge)} MiB on the disk`);
  heldMemory(edge, 'and in memory', 150);
}

/** Blocks of all shards on the disk, in MiB. */
function spoolSize(edge: Appliance): number {
  const spool = join(edge.state, 'spool');
  const files = readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const blocks = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).blocks, 0);
  return Math.round((blocks * 512) / 1024 ** 2);
}

/** Fills the spool: the next hop is not there. */
async function fill(edge: Appliance, count: number): Promise<void> {
  await using sink = new Sink('127.0.0.1', await freePort());
  await sink.up;
  const load = { sessions: 40, perConnection: Infinity, size: 4096, recipients: 1, seconds: 600, most: count };
  await drive({ host: '127.0.0.1', port: edge.port, pid: edge.pid }, sink, { ...load, drain: false });
}

async function queued(edge: Appliance): Promise<number> {
  const { out } = await run('status', '--state', edge.state, '--json');
  const report = JSON.parse(out) as { workers: { queues?: { messageCount: number }[] }[] };
  return report.workers.flatMap(({ queues = [] }) => queues).reduce((sum, { messageCount }) => sum + messageCount, 0);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return Math.round(performance.now() - begin);
}

for (const [name, part] of Object.entries({ idle, large, start, drain }))
  if (values.only === '' || values.only === name) await part();
