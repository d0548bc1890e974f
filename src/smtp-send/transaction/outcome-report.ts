import {
  noPolicy,
  type PublishedPolicy,
  type TargetTlsPolicy,
  type TargetVerdict,
  type TlsDemand,
  type TlsFailure,
  type TlsOutcome,
  type TlsOutcomes,
} from '../../tls/index.ts';
import type { ConnectionLost } from '../connection/connection-lost.ts';
import type { Target } from '../dns/target-finder.ts';
import type { PolicyFinding } from '../policies/policy-source.ts';

/** Tells how the TLS of a connection went, for the reports to the recipient's domain (RFC 8460). Once for each connection, never for a message. */
export class OutcomeReport {
  readonly #outcomes: TlsOutcomes | undefined;

  constructor(outcomes: TlsOutcomes | undefined) {
    this.#outcomes = outcomes;
  }

  /** What the connection came to, under each policy that the domain published. */
  judged(
    target: Target,
    policy: TargetTlsPolicy,
    { reached, unmet, told }: TargetVerdict,
    sendingIp: string | undefined,
  ): void {
    if (this.#outcomes?.wanted !== true) return;
    const failed = [...(unmet === undefined ? [] : [unmet]), ...told];
    let published = 0;
    for (const demand of allDemands(policy)) {
      if (demand.published === undefined) continue;
      published += 1;
      const failure = failed.find((one) => one.demand === demand);
      this.#count(target, demand.published, failure && { type: failure.failure, reason: failure.reason }, sendingIp);
    }
    if (published > 0) return;
    const clear: TlsOutcome['failure'] = { type: 'starttls-not-supported', reason: 'sent in clear' };
    this.#count(target, noPolicy, reached === 'none' ? clear : undefined, sendingIp);
  }

  /** The handshake never came to an end. */
  broken(target: Target, policy: TargetTlsPolicy, { step, message, reply }: ConnectionLost): void {
    if (this.#outcomes?.wanted !== true) return;
    const type: TlsFailure = step === 'TLS handshake' ? 'validation-failure' : 'starttls-not-supported';
    const published = allDemands(policy).flatMap((demand) => demand.published ?? []);
    for (const one of published.length === 0 ? [noPolicy] : published)
      this.#count(target, one, { type, reason: reply ?? message });
  }

  passedOver(target: Target, { failure, reason, published }: Extract<PolicyFinding, { kind: 'pass-over' }>): void {
    if (this.#outcomes?.wanted === true) this.#count(target, published ?? noPolicy, { type: failure, reason });
  }

  /** A newer policy could not be had. */
  policyFailed(target: Target, { stsFailure }: TargetTlsPolicy): void {
    if (stsFailure === undefined || this.#outcomes?.wanted !== true) return;
    this.#count(target, { type: 'sts', lines: [], mx: [] }, stsFailure);
  }

  /** Reports go to the domains of recipients: a smart host has none. */
  #count(
    { dns, host, address }: Target,
    policy: PublishedPolicy,
    failure: TlsOutcome['failure'],
    sendingIp?: string,
  ): void {
    if (dns?.domain === undefined) return;
    const own = sendingIp === undefined ? {} : { sendingIp };
    const outcome = { domain: dns.domain, policy, mxHost: host, ip: address, ...own };
    this.#outcomes?.count(failure === undefined ? outcome : { ...outcome, failure });
  }
}

function allDemands({ demands, watched = [] }: TargetTlsPolicy): readonly TlsDemand[] {
  return [...demands, ...watched];
}
