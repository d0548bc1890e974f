/** One attack on a started appliance, measured: what its processes hold before, at the most, and while all senders are still connected. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { edge, eventually } from '../../lib/appliance.ts';
import { type Attack, Crowd } from './crowd.ts';

export const full = process.env['EDGE_HOSTILE'] === 'all';
export const mib = 1024 ** 2;
/** What one attack sends, and how long at most. */
const totalBytes = full ? 100 * mib : 2 * mib;
const limitMs = full ? 30_000 : 1_500;
/** Those who only connect have connected by then; what follows would be waiting. */
const connectLimitMs = full ? 10_000 : 1_500;
/** Memory that an attack may leave behind, also while its connections are still open. */
const allowedBytes = 64 * mib;
/** Memory that all of them may leave behind, one after the other, from the first use on: what the allocator keeps, and no more with each. */
const allowedInAllBytes = 80 * mib;

/** One attack, made when the appliance runs. */
export type Row = () => Omit<Attack, 'totalBytes' | 'limitMs'> & Partial<Attack>;

/** Octets that processes hold themselves, in memory or swapped out. */
export function heldBy(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    return sum + (kilobytes('RssAnon') + kilobytes('VmSwap')) * 1024;
  }, 0);
}

/** Process ids of an appliance by the name of the process. */
export async function processesOf(state: string): Promise<ReadonlyMap<string, number>> {
  const { out } = await edge('status', '--state', state, '--json');
  const { processes } = JSON.parse(out) as { processes: { name: string; pid: number }[] };
  return new Map(processes.map(({ name, pid }) => [name, pid]));
}

/** Processes under attack. Measure a siege after a first use of everything. */
export class Siege {
  readonly pids: readonly number[];
  readonly #before: number;
  /** Asks each way in that must be served: milliseconds to the answers. */
  readonly #served: () => Promise<Readonly<Record<string, number>>>;

  constructor(pids: readonly number[], served: () => Promise<Readonly<Record<string, number>>>) {
    this.pids = pids;
    this.#served = served;
    this.#before = this.#held();
  }

  /** Rejects when the processes keep more than they may, or when somebody else is not served meanwhile. Tells the figures. */
  async endures(t: TestContext, attack: Row): Promise<void> {
    const before = this.#held();
    let most = before;
    const look = setInterval(() => (most = Math.max(most, this.#held())), 50);
    try {
      const row = attack();
      const defaultMs = row.payload === undefined ? connectLimitMs : limitMs;
      using crowd = new Crowd({ totalBytes, limitMs: defaultMs, ...row });
      const attacked = crowd.run();
      const answeredMs = await this.#served();
      await attacked;
      // Their connections are still open, as far as the server keeps them.
      const isAsBefore = (): boolean =>
        this.#held() <= Math.min(before + allowedBytes, this.#before + allowedInAllBytes);
      await eventually('memory as before, while all are connected', isAsBefore, 120_000).catch((error: Error) => {
        throw new Error(`${error.message}: ${this.#figures(crowd, before, most)}`);
      });
      t.diagnostic(`${this.#figures(crowd, before, most)} ${JSON.stringify(answeredMs)}`);
    } finally {
      clearInterval(look);
    }
  }

  #figures({ sent, opened }: Crowd, before: number, most: number): string {
    const [sentMiB, beforeMiB, mostMiB, afterMiB, firstMiB] = [sent, before, most, this.#held(), this.#before].map(
      (octets) => Math.round((10 * octets) / mib) / 10,
    );
    return JSON.stringify({ sentMiB, connections: opened, beforeMiB, mostMiB, afterMiB, firstMiB });
  }

  #held(): number {
    return heldBy(this.pids);
  }
}

/** How long each of some ways took, one after the other, in milliseconds: as it says itself, or as it takes. */
export async function timed(ways: Readonly<Record<string, () => Promise<unknown>>>): Promise<Record<string, number>> {
  const took: Record<string, number> = {};
  for (const [name, way] of Object.entries(ways)) {
    const start = performance.now();
    const said = await way();
    took[name] = typeof said === 'number' ? said : Math.round(performance.now() - start);
  }
  return took;
}
