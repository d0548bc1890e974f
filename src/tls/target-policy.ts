/**
 * What the TLS of one target must reach, of whom, and why: a value, asked for once per target and judged once per
 * connection. Several sources may demand something at a time (the connector, DNS, the message): all of them must be met,
 * so that none ever weakens another.
 */
import { judgePeer, type PeerIdentity, type PeerVerdict, type SendTlsPolicy } from './send-policy.ts';

/** Where a demand comes from. */
export type DemandSource = 'connector';

export interface TlsDemand {
  readonly by: DemandSource;
  readonly policy: SendTlsPolicy;
  /** What in the configuration or the DNS says so: 'RequireTLS of the send connector Outbound'. */
  readonly because: string;
}

/** At least one demand: that of the connector. */
export interface TargetTlsPolicy {
  readonly demands: readonly TlsDemand[];
}

/** How STARTTLS is treated (RFC 3207). 'required': it is asked for, offered or not, and nothing is sent without. */
export type StartTlsUse = 'never' | 'when-offered' | 'required';

/** The strictest of what the demands need. */
export function startTlsOf({ demands }: TargetTlsPolicy): StartTlsUse {
  const levels = demands.map(({ policy }) => policy.level);
  if (levels.some((level) => level !== 'none' && level !== 'opportunistic')) return 'required';
  return levels.includes('opportunistic') ? 'when-offered' : 'never';
}

/** True when a demand looks at the certificate: then it is seen afresh in each connection. */
export function needsCertificate({ demands }: TargetTlsPolicy): boolean {
  return demands.some(({ policy }) => policy.level === 'certificate' || policy.level === 'domain');
}

/** What each demand makes of a connection. */
export interface TargetVerdict {
  readonly acceptable: boolean;
  /** The best that any demand found. */
  readonly reached: PeerVerdict['reached'];
  /** Of the first demand that is not met; else of the demand that found the most. */
  readonly reason: string;
  /** The first demand that is not met. */
  readonly unmet?: TlsDemand;
}

const order: readonly PeerVerdict['reached'][] = ['none', 'encryption', 'certificate', 'domain'];

/** Pure. */
export function judgeTarget({ demands }: TargetTlsPolicy, peer: PeerIdentity): TargetVerdict {
  const verdicts = demands.map((demand) => ({ demand, verdict: judgePeer(demand.policy, peer) }));
  const [best] = verdicts
    .map(({ verdict }) => verdict)
    .sort((a, b) => order.indexOf(b.reached) - order.indexOf(a.reached));
  if (best === undefined) throw new RangeError('a policy without a demand');
  const failed = verdicts.find(({ verdict }) => !verdict.acceptable);
  if (failed === undefined) return { acceptable: true, reached: best.reached, reason: best.reason };
  return { acceptable: false, reached: best.reached, reason: failed.verdict.reason, unmet: failed.demand };
}

/** The demands in words, for events and errors: 'RequireTLS of the send connector Outbound (encryption)'. */
export function describePolicy({ demands }: TargetTlsPolicy): string {
  return demands.map(({ because, policy }) => `${because} (${policy.level})`).join('; ');
}
