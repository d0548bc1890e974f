/**
 * Edge against Postfix, stock and tuned, in the same run: both relay to the same sink, scenario by scenario, round by
 * round in turn. Prints medians and the ratio to the better Postfix of each round; writes all runs to .bench/.
 *   node test/bench/run.ts [--rounds N] [--seconds S] [--only text] [--tools]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Appliance } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix, postfixMissing } from '../lib/postfix.ts';
import { drive, type Result, Sink } from './drive.ts';
import { driveWithTools } from './postfix-tools.ts';
import { perSecond, relayLines, type Scenario, scenarios } from './scenarios.ts';
import { tunedPostfix } from './tuned-postfix.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
    tools: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const toolScenarios: readonly { name: string; sessions: number; keep: boolean; goal: number }[] = [
  { name: 'smtp-source: 20 sessions, new connection per message', sessions: 20, keep: false, goal: 2.5 },
  { name: 'smtp-source: 100 sessions, new connection per message', sessions: 100, keep: false, goal: 2.5 },
  { name: 'smtp-source: 20 sessions, connections kept', sessions: 20, keep: true, goal: 4 },
  { name: 'smtp-source: 100 sessions, connections kept', sessions: 100, keep: true, goal: 4 },
];

const tuned = { ...tunedPostfix, smtpd_delay_reject: 'no', smtpd_data_restrictions: '' };

interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
const show = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const missing = postfixMissing();
if (missing !== '') {
  process.stderr.write(`bench: ${missing}\n`);
  process.exit(2);
}
const sinkPort = await freePort();
const relay = { relayhost: `[127.0.0.1]:${sinkPort}`, disable_dns_lookups: 'yes' };
await using stock = await Postfix.start({ port: await freePort(), settings: relay });
await using better = await Postfix.start({ port: await freePort(), settings: { ...relay, ...tuned } });
await using edge = await Appliance.start({
  workers: Number(values.workers),
  lines: relayLines(sinkPort),
});
const peers: readonly Peer[] = [
  { name: 'edge', port: edge.port, pid: edge.pid },
  { name: 'postfix', port: stock.port, pid: stock.pid },
  { name: 'postfix tuned', port: better.port, pid: better.pid },
];
const version = execFileSync('postconf', ['-h', 'mail_version'], { encoding: 'utf8' }).trim();
say(
  `Edge (${values.workers} workers) and Postfix ${version}, ${rounds} rounds of ${seconds} s after a warm-up; medians\n`,
);

const raw: Record<string, unknown>[] = [];
if (values.tools) await runTools();
else await runDriver();
mkdirSync('.bench', { recursive: true });
writeFileSync(`.bench/${values.tools ? 'tools' : 'drive'}.json`, `${JSON.stringify(raw, undefined, 1)}\n`);

async function runDriver(): Promise<void> {
  await using sink = new Sink('127.0.0.1', sinkPort);
  await sink.up;
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.only))) {
    const results = new Map<string, Result[]>(peers.map(({ name }) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const peer of rotated(peers, round)) {
        const result = await drive({ host: '127.0.0.1', port: peer.port, pid: peer.pid }, sink, {
          ...scenario.load,
          seconds,
        });
        raw.push({ scenario: scenario.name, peer: peer.name, round, ...result });
        if (round > 0) results.get(peer.name)?.push(result);
      }
    }
    report(scenario, results);
  }
}

function report(
  { name, figure, goal, cpuGoal, latencyGoal }: Scenario,
  results: ReadonlyMap<string, readonly Result[]>,
): void {
  say(name);
  for (const [peer, list] of results) {
    const lost = list.reduce(
      (sum, { missing: m, wrongLength, refused, broken }) => sum + m + wrongLength + refused + broken,
      0,
    );
    const twice = list.reduce((sum, { duplicates }) => sum + duplicates, 0);
    const unit = figure === perSecond ? '/s' : ' MB/s';
    say(
      `  ${peer.padEnd(14)} ${show(median(list.map((result) => result[figure]))).padStart(7)}${unit}  accept p50 ${show(median(list.map((r) => r.acceptMs[0] ?? 0)))} ms, p99 ${show(median(list.map((r) => r.acceptMs[2] ?? 0)))} ms  cpu ${show(median(list.map((r) => r.cpuPerThousand)))} s/1000  ${Math.round(median(list.map((r) => r.pss)))} MiB  ${lost === 0 && twice === 0 ? 'all once' : `LOST OR DAMAGED ${lost}, TWICE ${twice}: ${JSON.stringify(list.map((r) => r.notes))}`}`,
    );
  }
  const edges = results.get('edge') ?? [];
  const of = (peer: string, i: number): Result | undefined => results.get(peer)?.[i];
  const ratios = edges.map(
    (result, i) => result[figure] / Math.max(of('postfix', i)?.[figure] ?? 0, of('postfix tuned', i)?.[figure] ?? 0),
  );
  say(
    `  ratio to the better Postfix ${show(median(ratios))} (${show(Math.min(...ratios))}-${show(Math.max(...ratios))}), goal ${goal}: ${median(ratios) >= goal ? 'reached' : 'MISSED'}`,
  );
  if (cpuGoal !== undefined) {
    const cpu = edges.map(
      (result, i) =>
        result.cpuPerThousand /
        Math.min(of('postfix', i)?.cpuPerThousand ?? 0, of('postfix tuned', i)?.cpuPerThousand ?? 0),
    );
    say(`  CPU ratio ${show(median(cpu))}, goal ${cpuGoal}: ${median(cpu) <= cpuGoal ? 'reached' : 'MISSED'}`);
  }
  if (latencyGoal !== undefined) {
    const slowest = (result: Result | undefined): number => result?.acceptMs[2] ?? Number.POSITIVE_INFINITY;
    const latency = edges.map(
      (result, i) => slowest(result) / Math.min(slowest(of('postfix', i)), slowest(of('postfix tuned', i))),
    );
    say(
      `  p99 of the time to 250, ratio ${show(median(latency))}, goal ${latencyGoal}: ${median(latency) <= latencyGoal ? 'reached' : 'MISSED'}`,
    );
  }
  say('');
}

async function runTools(): Promise<void> {
  for (const scenario of toolScenarios.filter(({ name }) => name.includes(values.only))) {
    const results = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const peer of rotated(peers, round)) {
        const messages = peer.name === 'edge' ? 4000 : 1000;
        const result = await driveWithTools({ relayPort: peer.port, sinkPort, messages, ...scenario });
        raw.push({ scenario: scenario.name, peer: peer.name, round, ...result });
        if (round > 0) results.get(peer.name)?.push(result.arrived === messages ? result.deliveredPerSecond : 0);
      }
    }
    say(scenario.name);
    for (const [peer, list] of results)
      say(`  ${peer.padEnd(14)} ${show(median(list)).padStart(7)}/s (${list.map(show).join(' ')})`);
    const ratios = (results.get('edge') ?? []).map(
      (value, i) => value / Math.max(results.get('postfix')?.[i] ?? 0, results.get('postfix tuned')?.[i] ?? 0),
    );
    say(
      `  ratio to the better Postfix ${show(median(ratios))}, goal ${scenario.goal}: ${median(ratios) >= scenario.goal ? 'reached' : 'MISSED'}\n`,
    );
  }
}

/** Each round another peer comes first. */
function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length] as T);
}
