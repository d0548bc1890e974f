/**
 * What the TLS of one target must reach, of whom, and why: a value, asked for once per target and judged once per
 * connection. Several sources may demand something at a time (the connector, DNS, the message): all of them must be met,
 * so that none ever weakens another.
 */
import { judgePeer, type PeerIdentity, reachedOrder, type SendTlsPolicy, type TlsReached } from './send-policy.ts';
import type { PublishedPolicy } from './session-outcome.ts';
import { failureOf, type TlsFailure } from './tls-failure.ts';

/** Where a demand comes from. */
export type DemandSource = 'connector' | 'direct trust' | 'DANE' | 'MTA-STS' | 'REQUIRETLS';

/** What the administrator asks for, rather than the recipient's domain or the message. */
export function isOurs(by: DemandSource): boolean {
  return by === 'connector' || by === 'direct trust';
}

export interface TlsDemand {
  readonly by: DemandSource;
  readonly policy: SendTlsPolicy;
  /** What in the configuration or the DNS says so: 'RequireTLS of the send connector Outbound'. */
  readonly because: string;
  /** What the recipient's domain published, where the demand comes from there. */
  readonly published?: PublishedPolicy;
}

export interface TargetTlsPolicy {
  /** At least one: that of the connector. */
  readonly demands: readonly TlsDemand[];
  /** Judged and told, never enforced: an STS policy in `testing` (RFC 8461 §5). */
  readonly watched?: readonly TlsDemand[];
  /** Why there is no newer STS policy than the one that is known, or none at all (RFC 8460 §4.3.2.1). */
  readonly stsFailure?: { readonly type: TlsFailure; readonly reason: string };
  /** Name for SNI where the demand says which: the TLSA base domain (RFC 7672 §8.1). */
  readonly serverName?: string;
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
export function needsCertificate({ demands, watched = [] }: TargetTlsPolicy): boolean {
  return [...demands, ...watched].some(({ policy }) =>
    ['certificate', 'domain', 'dane', 'pinned'].includes(policy.level),
  );
}

/** A demand that is not met, and how. */
export interface UnmetDemand {
  readonly demand: TlsDemand;
  readonly reason: string;
  readonly failure: TlsFailure;
}

/** What the demands make of a connection. */
export interface TargetVerdict {
  readonly acceptable: boolean;
  /** The best that any demand found. */
  readonly reached: TlsReached;
  /** Of the first demand that is not met; else of the demand that found the most. */
  readonly reason: string;
  /** The first demand that is not met. */
  readonly unmet?: UnmetDemand;
  /** Watched demands that are not met. */
  readonly told: readonly UnmetDemand[];
}

/** Pure. `now`: milliseconds since 1970. */
export function judgeTarget(
  { demands, watched = [] }: TargetTlsPolicy,
  peer: PeerIdentity,
  now: number,
): TargetVerdict {
  const verdicts = demands.map((demand) => ({ demand, verdict: judgePeer(demand.policy, peer, now) }));
  const [best] = verdicts
    .map(({ verdict }) => verdict)
    .sort((a, b) => reachedOrder.indexOf(b.reached) - reachedOrder.indexOf(a.reached));
  if (best === undefined) throw new RangeError('a policy without a demand');
  const told = watched.flatMap((demand) => unmetOf(demand, peer, now) ?? []);
  const [unmet] = demands.flatMap((demand) => unmetOf(demand, peer, now) ?? []);
  if (unmet === undefined) return { acceptable: true, reached: best.reached, reason: best.reason, told };
  return { acceptable: false, reached: best.reached, reason: unmet.reason, unmet, told };
}

function unmetOf(demand: TlsDemand, peer: PeerIdentity, now: number): UnmetDemand | undefined {
  const { acceptable, reason } = judgePeer(demand.policy, peer, now);
  return acceptable ? undefined : { demand, reason, failure: failureOf(demand.policy, peer) };
}

/** The demands in words, for events and errors: 'RequireTLS of the send connector Outbound (encryption)'. */
export function describePolicy({ demands }: TargetTlsPolicy): string {
  return demands.map(({ because, policy }) => `${because} (${policy.level})`).join('; ');
}
