import { type Clock, sourceNetwork } from '../../base/index.ts';
import type { ReceiveConnector } from '../../config/index.ts';
import { type Reply, replies } from '../../smtp/index.ts';
import { MinuteRates } from './minute-rates.ts';
import type { SharedNumbers } from './shared-numbers.ts';

/** Why a connection is one too many. */
export interface LimitReached {
  readonly reply: Reply;
  readonly reason: string;
}

type Limits = Pick<
  ReceiveConnector,
  'dn' | 'maxInboundConnection' | 'maxInboundConnectionPerSource' | 'maxInboundConnectionPercentagePerSource'
>;

/** Sessions of this worker under one name, and where all workers write theirs. */
interface Count {
  readonly place: number;
  own: number;
}

/** Sessions of one connector. */
interface ConnectorCounts {
  readonly all: Count;
  /** By network. Some without a session are kept: they come again. */
  readonly sources: Map<string, Count>;
}

/** Sources of a connector beyond which those without a session are forgotten. */
const mostIdleSources = 1_000;

/** When two workers let the same last one in at once, both see one too many: each tries again so often. */
const attempts = 4;

/** Counts the sessions of each connector over all workers, in all and by source (IPv6: by /64). */
export class ConnectionLimits {
  readonly #shared: SharedNumbers;
  readonly #connectors = new Map<string, ConnectorCounts>();
  /** Two names may have one place: what stands there is the sum. */
  readonly #sums = new Map<number, number>();
  readonly #rates: MinuteRates;

  constructor(shared: SharedNumbers, clock: Clock) {
    this.#shared = shared;
    this.#rates = new MinuteRates(shared, clock);
  }

  /** One more connection, whatever becomes of it. `perMinute`: MaxConnectionRatePerMinute. */
  arrived(perMinute: number): LimitReached | undefined {
    if (this.#rates.take('connections', perMinute)) return undefined;
    return { reply: replies.tooManyConnections, reason: `MaxConnectionRatePerMinute ${perMinute} is reached` };
  }

  /** Counts a session in; undefined: it may begin. Every admitted one is to be released once. */
  admit(connector: Limits, remoteAddress: string): LimitReached | undefined {
    const counts = this.#countsOf(connector.dn);
    const network = sourceNetwork(remoteAddress);
    const source = this.#sourceOf(counts, network, connector.dn);
    const { countsAll, countsSource } = countedBy(connector);
    for (let attempt = 1; ; attempt++) {
      this.#add(counts.all, 1);
      this.#add(source, 1);
      const total = countsAll ? this.#total(counts.all) : 1;
      const own = countsSource ? this.#total(source) : 1;
      const reached = check(connector, total - 1, own - 1);
      if (reached === undefined) return undefined;
      this.#leave(counts, network, source);
      if (attempt === attempts) return reached;
      if (attempt === attempts - 1) this.#shared.forgetDead?.();
    }
  }

  release({ dn }: Pick<Limits, 'dn'>, remoteAddress: string): void {
    const counts = this.#countsOf(dn);
    const network = sourceNetwork(remoteAddress);
    this.#leave(counts, network, this.#sourceOf(counts, network, dn));
  }

  #leave(counts: ConnectorCounts, network: string, source: Count): void {
    this.#add(counts.all, -1);
    this.#add(source, -1);
    if (source.own === 0 && counts.sources.size > mostIdleSources) counts.sources.delete(network);
  }

  #countsOf(dn: string): ConnectorCounts {
    let counts = this.#connectors.get(dn);
    if (counts === undefined) {
      counts = { all: this.#none(`sessions ${dn}`), sources: new Map() };
      this.#connectors.set(dn, counts);
    }
    return counts;
  }

  #sourceOf({ sources }: ConnectorCounts, network: string, dn: string): Count {
    let source = sources.get(network);
    if (source === undefined) {
      source = this.#none(`sessions ${network} ${dn}`);
      sources.set(network, source);
    }
    return source;
  }

  #none(name: string): Count {
    return { place: this.#shared.placeOf(name), own: 0 };
  }

  /** It is written before it is read: of two workers at least one sees the other. */
  #add(count: Count, difference: 1 | -1): void {
    count.own += difference;
    const sum = Math.max(0, (this.#sums.get(count.place) ?? 0) + difference);
    if (sum > 0) this.#sums.set(count.place, sum);
    else this.#sums.delete(count.place);
    this.#shared.write(count.place, sum);
  }

  /** What all workers have. */
  #total({ place, own }: Count): number {
    let total = own;
    for (const [theirs = 0] of this.#shared.others(place)) total += theirs;
    return total;
  }
}

/** What the limits of a connector look at. */
function countedBy(limits: Limits): { readonly countsAll: boolean; readonly countsSource: boolean } {
  const { maxInboundConnection: all, maxInboundConnectionPerSource: perSource } = limits;
  const shared = limits.maxInboundConnectionPercentagePerSource < 100;
  return { countsAll: shared || all !== Infinity, countsSource: shared || perSource !== Infinity };
}

function check(limits: Limits, total: number, own: number): LimitReached | undefined {
  const { maxInboundConnection: all, maxInboundConnectionPerSource: perSource } = limits;
  if (total >= all) return { reply: replies.tooManyConnections, reason: `MaxInboundConnection ${all} is reached` };
  const reply = replies.tooManyConnectionsFromSource;
  if (own >= perSource) return { reply, reason: `MaxInboundConnectionPerSource ${perSource} is reached` };
  const percentage = limits.maxInboundConnectionPercentagePerSource;
  // A share of what is still free, and always room for one.
  if (percentage < 100 && own > 0 && own >= (percentage / 100) * (all - (total - own))) {
    return { reply, reason: `MaxInboundConnectionPercentagePerSource ${percentage} is reached` };
  }
  return undefined;
}
