import { type Clock, sourceNetwork } from '../base/index.ts';
import type { ReceiveConnector } from '../config/index.ts';
import { type Reply, replies } from '../smtp/index.ts';
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

/** When two workers let the same last one in at once, both see one too many: each tries again so often. */
const attempts = 4;

/** Counts the sessions of each connector over all workers, in all and by source (IPv6: by /64). */
export class ConnectionLimits {
  readonly #shared: SharedNumbers;
  readonly #counts = new Map<string, Count>();
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
    const [all, source] = namesOf(connector, remoteAddress);
    for (let attempt = 1; ; attempt++) {
      const total = this.#add(all, 1);
      const own = this.#add(source, 1);
      const reached = check(connector, total - 1, own - 1);
      if (reached === undefined) return undefined;
      this.#add(all, -1);
      this.#add(source, -1);
      if (attempt === attempts) return reached;
      if (attempt === attempts - 1) this.#shared.forgetDead?.();
    }
  }

  release(connector: Pick<Limits, 'dn'>, remoteAddress: string): void {
    for (const name of namesOf(connector, remoteAddress)) this.#add(name, -1);
  }

  /** What all workers have under a name afterwards. It is written before it is read: of two workers at least one sees the other. */
  #add(name: string, difference: 1 | -1): number {
    const count = this.#counts.get(name) ?? { place: this.#shared.placeOf(name), own: 0 };
    count.own += difference;
    if (count.own > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
    const sum = Math.max(0, (this.#sums.get(count.place) ?? 0) + difference);
    if (sum > 0) this.#sums.set(count.place, sum);
    else this.#sums.delete(count.place);
    this.#shared.write(count.place, sum);
    if (difference < 0) return 0;
    return this.#shared.others(count.place).reduce((all, [theirs = 0]) => all + theirs, count.own);
  }
}

function namesOf({ dn }: Pick<Limits, 'dn'>, remoteAddress: string): readonly [all: string, source: string] {
  return [`sessions ${dn}`, `sessions ${sourceNetwork(remoteAddress)} ${dn}`];
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
