/**
 * TLS of Edge against Postfix, stock and tuned, in the same run: full TLS 1.3 handshakes with ECDSA P-256 behind STARTTLS at 100
 * sessions, and the relay with STARTTLS on both legs. Prints medians and the ratio to the better Postfix of each round.
 * The clients, two processes for handshakes and one for the relay, have the same cost for all and share the processors with them:
 * rates show less than the whole difference, CPU all of it.
 *   node test/bench/tls.ts [--rounds N] [--seconds S] [--only handshakes|relay]
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Appliance } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix, postfixMissing } from '../lib/postfix.ts';
import { selfSigned } from '../lib/self-signed.ts';
import { processTree } from './accounting.ts';
import { drive, Sink } from './drive.ts';
import { HandshakeClients } from './handshakes.ts';
import { relayLines } from './scenarios.ts';
import { tunedPostfix } from './tuned-postfix.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
/** A service runs for months: what is measured is one that has compiled its busy functions, which takes thousands of connections. */
const warmUpSeconds = 4 * seconds;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

const missing = postfixMissing();
if (missing !== '') {
  process.stderr.write(`bench-tls: ${missing}\n`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-tls-'));
chmodSync(folder, 0o755);
const { key, cert, keyFile, certFile } = selfSigned(folder, 'bench.test');
const pem = join(folder, 'pem');
writeFileSync(pem, key + cert);

interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}
interface Figures {
  readonly perSecond: number;
  /** Milliseconds of CPU for each handshake or message. */
  readonly cpuMs: number;
  readonly lost: number;
}

const sinkPort = await freePort();
const relay = {
  relayhost: `[127.0.0.1]:${sinkPort}`,
  disable_dns_lookups: 'yes',
  smtpd_tls_security_level: 'may',
  smtpd_tls_chain_files: `${keyFile}, ${certFile}`,
  smtp_tls_security_level: 'may',
  smtpd_tls_loglevel: '0',
};
const tuned = { ...tunedPostfix, smtp_tls_connection_reuse: 'yes' };
await using stock = await Postfix.start({ port: await freePort(), settings: relay });
await using better = await Postfix.start({
  port: await freePort(),
  settings: { ...relay, ...tuned },
  services: ['tlsproxy unix - - n - 0 tlsproxy'],
});
await using edge = await Appliance.start({ workers: 2, lines: relayLines(sinkPort) });
await using sink = new Sink('127.0.0.1', sinkPort, pem);
await sink.up;
const peers: readonly Peer[] = [
  { name: 'edge', port: edge.port, pid: edge.pid },
  { name: 'postfix', port: stock.port, pid: stock.pid },
  { name: 'postfix tuned', port: better.port, pid: better.pid },
];

/** Why handshakes failed, and how often. */
const notes = new Map<string, number>();
await using clients = new HandshakeClients();

async function handshakes({ port, pid }: Peer, lasting: number, sessions: number): Promise<Figures> {
  const before = processTree(pid).cpuSeconds;
  const { done, lost, perSecond, notes: told } = await clients.run({ port, sessions, seconds: lasting });
  for (const [why, times] of told) notes.set(why, (notes.get(why) ?? 0) + times);
  const cpu = processTree(pid).cpuSeconds - before;
  return { perSecond, cpuMs: (cpu / done) * 1_000, lost };
}

async function relayed(
  { port, pid }: Peer,
  lasting: number,
  sessions: number,
  perConnection: number,
): Promise<Figures> {
  const load = { sessions, perConnection, size: 4_096, recipients: 1, seconds: lasting, tls: true };
  const result = await drive({ host: '127.0.0.1', port, pid }, sink, load);
  const { deliveredPerSecond, cpuPerThousand, missing: gone, duplicates, refused, broken } = result;
  return { perSecond: deliveredPerSecond, cpuMs: cpuPerThousand, lost: gone + duplicates + refused + broken };
}

interface Row {
  readonly name: string;
  readonly goal: number;
  readonly cpuGoal?: number;
  readonly run: (peer: Peer, lasting: number) => Promise<Figures>;
}
const rows: readonly Row[] = [
  { name: 'handshakes, 100 sessions', goal: 2, cpuGoal: 0.85, run: (peer, lasting) => handshakes(peer, lasting, 100) },
  { name: 'handshakes, 20 sessions', goal: 1, run: (peer, lasting) => handshakes(peer, lasting, 20) },
  {
    name: 'relay, STARTTLS on both legs, 20 sessions, new connections',
    goal: 3,
    run: (peer, lasting) => relayed(peer, lasting, 20, 1),
  },
  {
    name: 'relay, STARTTLS on both legs, 20 sessions kept',
    goal: 5,
    run: (peer, lasting) => relayed(peer, lasting, 20, Infinity),
  },
];

say(`Edge (2 workers) and Postfix, ${rounds} rounds of ${seconds} s after ${warmUpSeconds} s of warm-up; medians\n`);
for (const { name, goal, cpuGoal, run } of rows.filter((row) => row.name.includes(values.only))) {
  const found = new Map<string, Figures[]>(peers.map((peer) => [peer.name, []]));
  for (let round = 0; round <= rounds; round++) {
    // Each round another peer comes first.
    for (const i of peers.keys()) {
      const peer = peers[(i + round) % peers.length];
      if (peer === undefined) continue;
      const figures = await run(peer, round === 0 ? warmUpSeconds : seconds);
      if (round > 0) found.get(peer.name)?.push(figures);
    }
  }
  say(name);
  for (const [peer, list] of found)
    say(
      `  ${peer.padEnd(14)} ${median(list.map((one) => one.perSecond))
        .toFixed(0)
        .padStart(
          6,
        )}/s  CPU ${median(list.map((one) => one.cpuMs)).toFixed(2)} ms each  failed ${list.reduce((sum, { lost }) => sum + lost, 0)}`,
    );
  const compared = (figure: 'perSecond' | 'cpuMs', best: (...list: number[]) => number): number[] =>
    (found.get('edge') ?? []).map(
      (one, i) =>
        one[figure] / best(found.get('postfix')?.[i]?.[figure] ?? 0, found.get('postfix tuned')?.[i]?.[figure] ?? 0),
    );
  const ratios = compared('perSecond', Math.max);
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
  say(
    `  ratio ${median(ratios).toFixed(2)} (${range}), goal ${goal}: ${median(ratios) >= goal ? 'reached' : 'MISSED'}`,
  );
  const cpu = median(compared('cpuMs', Math.min));
  const reached = cpuGoal === undefined ? '' : `, goal ${cpuGoal}: ${cpu <= cpuGoal ? 'reached' : 'MISSED'}`;
  if (notes.size > 0) say(`  failures: ${JSON.stringify([...notes])}`);
  notes.clear();
  say(`  CPU ratio ${cpu.toFixed(2)}${reached}\n`);
}
rmSync(folder, { recursive: true });
