/**
 * Two trees of Edge against each other: both appliances run, are loaded in turn, pair by pair, and each figure is given as
 * the median over the rounds of the pairs' median ratio (new / old), with the interval that holds the true median with 95 %
 * (order statistics).
 * One start differs from the next one of the same tree by more than 10 % (what was compiled how, which worker took what): pairs
 * of one start say nothing of two trees, so both are started anew for each round.
 *   node test/bench/pair.ts OLD NEW [--rounds N] [--pairs N] [--messages N] [--only text] [--workers N]
 * OLD and NEW are work trees with their packages installed; the same one twice shows what the figures are worth.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../lib/ports.ts';
import { drive, type Result, Sink } from './drive.ts';
import { interval, median } from './paired.ts';
import { relayLines, type Scenario, scenarios } from './scenarios.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '9' },
    pairs: { type: 'string', default: '3' },
    messages: { type: 'string', default: '3000' },
    only: { type: 'string', default: '20 sessions, connections kept' },
    workers: { type: 'string', default: '2' },
  },
});
const [oldTree = '', newTree = '.'] = positionals;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Side {
  readonly port: number;
  readonly pid: number;
}

/** Starts the appliance of a tree with the tree's own test library, whose lines fit its cmdlets. */
async function start(tree: string, sinkPort: number): Promise<Side & AsyncDisposable> {
  const { Appliance } = (await import(`${resolve(tree)}/test/lib/appliance.ts`)) as {
    Appliance: { start(options: object): Promise<Side & AsyncDisposable> };
  };
  return Appliance.start({ workers: Number(values.workers), lines: relayLines(sinkPort) });
}

const figures: readonly { readonly name: string; readonly of: (result: Result) => number }[] = [
  { name: 'CPU s per 1,000', of: ({ cpuPerThousand }) => cpuPerThousand },
  { name: 'messages per s', of: ({ deliveredPerSecond }) => deliveredPerSecond },
  { name: 'PSS MiB', of: ({ pss }) => pss },
];

async function pairsOf(scenario: Scenario, sink: Sink, sides: readonly [Side, Side]): Promise<[Result, Result][]> {
  const pairs: [Result, Result][] = [];
  const load = { ...scenario.load, seconds: 300, most: Number(values.messages) };
  const run = ({ port, pid }: Side): Promise<Result> => drive({ host: '127.0.0.1', port, pid }, sink, load);
  // A number of messages, not a time: what is done once costs both the same. The first pair warms both up. Who comes first changes from pair to pair.
  for (let pair = 0; pair <= Number(values.pairs); pair++) {
    const first = await run(sides[pair % 2 === 0 ? 0 : 1]);
    const second = await run(sides[pair % 2 === 0 ? 1 : 0]);
    const both: [Result, Result] = pair % 2 === 0 ? [first, second] : [second, first];
    for (const { missing, duplicates, wrongLength, refused, broken } of both)
      if (missing + duplicates + wrongLength + refused + broken > 0) say('  a run lost, doubled or damaged messages');
    if (pair > 0) pairs.push(both);
  }
  return pairs;
}

function tell(scenario: Scenario, rounds: readonly (readonly (readonly [Result, Result])[])[]): void {
  const pairs = rounds.flat();
  say(`${scenario.name}: ${rounds.length} starts of ${values.pairs} pairs of ${values.messages} messages each`);
  for (const { name, of } of figures) {
    const ratios = rounds.map((round) => median(round.map(([old, now]) => of(now) / of(old))));
    const [low, high] = interval(ratios);
    say(
      `  ${name.padEnd(16)} old ${median(pairs.map(([old]) => of(old))).toFixed(3)}, new ${median(pairs.map(([, now]) => of(now))).toFixed(3)}; new / old ${median(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
    );
  }
}

const sinkPort = await freePort();
await using sink = new Sink('127.0.0.1', sinkPort);
await sink.up;
for (const scenario of scenarios.filter(({ name }) => name.startsWith(values.only))) {
  const rounds: [Result, Result][][] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    await using oldSide = await start(oldTree, sinkPort);
    await using newSide = await start(newTree, sinkPort);
    rounds.push(await pairsOf(scenario, sink, [oldSide, newSide]));
  }
  tell(scenario, rounds);
}
