import { sourceNetwork } from '../base/index.ts';
import type { ReceiveConnector } from '../config/index.ts';
import { type Reply, replies } from '../smtp/index.ts';

/** Why a connection is one too many. */
export interface LimitReached {
  readonly reply: Reply;
  readonly reason: string;
}

type Limits = Pick<
  ReceiveConnector,
  'dn' | 'maxInboundConnection' | 'maxInboundConnectionPerSource' | 'maxInboundConnectionPercentagePerSource'
>;

interface Count {
  total: number;
  readonly bySource: Map<string, number>;
}

/** Counts the sessions of each connector, in all and by source (IPv6: by /64). A worker counts its own. */
export class ConnectionLimits {
  #counts = new Map<string, Count>();

  /** Counts a session in; undefined: it may begin. Every admitted one is to be released once. */
  admit(connector: Limits, remoteAddress: string): LimitReached | undefined {
    const source = sourceNetwork(remoteAddress);
    const count = this.#counts.get(connector.dn) ?? { total: 0, bySource: new Map<string, number>() };
    const own = count.bySource.get(source) ?? 0;
    const reached = check(connector, count.total, own);
    if (reached !== undefined) return reached;
    this.#counts.set(connector.dn, count);
    count.total++;
    count.bySource.set(source, own + 1);
    return undefined;
  }

  release(connector: Pick<Limits, 'dn'>, remoteAddress: string): void {
    const source = sourceNetwork(remoteAddress);
    const count = this.#counts.get(connector.dn);
    if (count === undefined) return;
    const own = (count.bySource.get(source) ?? 1) - 1;
    if (own > 0) count.bySource.set(source, own);
    else count.bySource.delete(source);
    if (--count.total === 0) this.#counts.delete(connector.dn);
  }
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
