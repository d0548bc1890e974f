import type { DnsAsker } from '../../dns/index.ts';
import {
  type PublishedPolicy,
  type StsPolicy,
  stsAllows,
  stsPolicyLines,
  type TargetTlsPolicy,
  type TlsaRecord,
  type TlsDemand,
  type TlsFailure,
  tlsaText,
} from '../../tls/index.ts';
import type { SendRoute } from '../connection/send-route.ts';
import type { Target } from '../dns/target-finder.ts';
import type { DnssecCheck } from './dnssec-check.ts';
import type { StsPolicies } from './sts-policies.ts';
import { findTlsa } from './tlsa-lookup.ts';

/** The policy of a target, or why nothing may be sent to it. */
export type PolicyFinding =
  | { readonly kind: 'policy'; readonly policy: TargetTlsPolicy }
  | {
      readonly kind: 'pass-over';
      readonly failure: TlsFailure;
      readonly reason: string;
      readonly by: TlsDemand['by'];
      readonly published?: PublishedPolicy;
    };

/** Who knows the policies of targets. */
export interface TargetPolicies {
  policyOf(target: Target, route: SendRoute, signal: AbortSignal): Promise<PolicyFinding>;
  /** Mail failed on what the domain's policy demands: it is looked at afresh. */
  doubt(target: Target): void;
}

/** The connector's word alone, where nobody can be asked for more. */
export const connectorPolicies: TargetPolicies = {
  policyOf: async (target, route) =>
    route.messagesTls === 'required' ? requireTls(target, route, undefined) : ownPolicy(route),
  doubt: () => undefined,
};

export interface PolicyParts {
  /** Keeps answers for their time to live. */
  readonly dns: DnsAsker;
  readonly check: DnssecCheck;
  readonly sts: StsPolicies;
}

/**
 * Asks, once per target, what its TLS must reach: DANE first, then MTA-STS, then the connector's own wish alone; what the
 * connector demands always holds besides. RFC 7672, RFC 8461 §2.
 */
export class PolicySource implements TargetPolicies {
  readonly #parts: PolicyParts;

  constructor(parts: PolicyParts) {
    this.#parts = parts;
  }

  async policyOf(target: Target, route: SendRoute, signal: AbortSignal): Promise<PolicyFinding> {
    const own = ownPolicy(route);
    // IgnoreSTARTTLS is the administrator's word that there is no TLS on this way.
    if (route.tls.policy.level === 'none' && route.messagesTls !== 'required') return own;
    // RFC 8689 §4.1: the sender lifts what the recipient's domain demands, never what the administrator does.
    if (route.messagesTls === 'optional')
      return route.daneMode === 'Mandatory' ? ((await this.#byDane(target, route, signal)) ?? own) : own;
    // Messages with REQUIRETLS need to know, whatever the connector asks for.
    const asks = route.messagesTls === 'required';
    const byDane = route.daneMode === 'None' && !asks ? undefined : await this.#byDane(target, route, signal);
    const byDomain =
      byDane ?? (route.stsMode === 'None' && !asks ? undefined : await this.#bySts(target, route, signal));
    return asks ? requireTls(target, route, byDomain) : (byDomain ?? own);
  }

  doubt({ dns }: Target): void {
    if (dns?.domain !== undefined) this.#parts.sts.doubt(dns.domain);
  }

  /** Undefined: DANE says nothing of this target. */
  async #byDane(target: Target, route: SendRoute, signal: AbortSignal): Promise<PolicyFinding | undefined> {
    const mandatory = route.daneMode === 'Mandatory';
    const passOver = (failure: TlsFailure, reason: string): PolicyFinding => ({
      kind: 'pass-over',
      failure,
      reason,
      by: 'DANE',
      published: tlsaPolicy([]),
    });
    const fault = await this.#parts.check.fault();
    if (fault !== '') return mandatory ? passOver('dnssec-invalid', `DANE cannot be used: ${fault}`) : undefined;
    const finding = await findTlsa(this.#parts.dns, target, signal);
    switch (finding.kind) {
      case 'failed':
        return passOver('dnssec-invalid', finding.reason);
      case 'none':
        return mandatory ? passOver('dane-required', `SmtpDaneMode is Mandatory, and ${finding.reason}`) : undefined;
      case 'unusable':
        if (mandatory) return passOver('dane-required', `its TLSA records cannot be used: ${finding.reason}`);
        return withDemand(route, {
          by: 'DANE',
          policy: { level: 'encryption' },
          because: `unusable TLSA records of ${finding.base} (${finding.reason})`,
          published: tlsaPolicy([]),
        });
      case 'records': {
        const { base, records } = finding;
        // RFC 7672 §3.2.3: the base domain, the name before aliases, and the domain that was routed.
        const names = [...new Set([base, target.serverName ?? base, target.dns?.domain ?? base])];
        const because = `TLSA records of ${base}`;
        const published = tlsaPolicy(records);
        return withDemand(route, { by: 'DANE', policy: { level: 'dane', records, names }, because, published }, base);
      }
    }
  }

  /** Undefined: the domain has no policy. */
  async #bySts(target: Target, route: SendRoute, signal: AbortSignal): Promise<PolicyFinding | undefined> {
    const { serverName, dns } = target;
    // RFC 8461 §5: a policy is one of the recipient's domain and its exchangers; smart hosts are neither.
    if (serverName === undefined || dns?.domain === undefined) return undefined;
    const { policy, failure } = await this.#parts.sts.find(dns.domain, route.targetRanges, signal);
    const told = failure === undefined ? {} : { stsFailure: failure };
    if (policy === undefined) {
      return failure === undefined ? undefined : { kind: 'policy', policy: { demands: [route.tls], ...told } };
    }
    const published = stsPolicy(policy);
    const allowed = stsAllows(policy, serverName);
    if (!allowed && policy.mode === 'enforce') {
      const reason = `MX hosts of '${dns.domain}' failed MTA-STS validation: ${serverName} is none of ${policy.mx.join(', ')}`;
      return { kind: 'pass-over', failure: 'validation-failure', reason, by: 'MTA-STS', published };
    }
    const demand: TlsDemand = {
      by: 'MTA-STS',
      policy: { level: 'domain', names: allowed ? [serverName] : policy.mx, subjectAltNameOnly: true },
      because: `the MTA-STS policy of ${dns.domain} (${policy.mode})`,
      published,
    };
    const demands =
      policy.mode === 'enforce' ? { demands: [route.tls, demand] } : { demands: [route.tls], watched: [demand] };
    return { kind: 'policy', policy: { ...demands, ...told } };
  }
}

function ownPolicy(route: SendRoute): PolicyFinding {
  return { kind: 'policy', policy: { demands: [route.tls] } };
}

function tlsaPolicy(records: readonly TlsaRecord[]): PublishedPolicy {
  return { type: 'tlsa', lines: records.map(tlsaText), mx: [] };
}

/** RFC 8460 §4.4: the policy as its lines. */
function stsPolicy(policy: StsPolicy): PublishedPolicy {
  return { type: 'sts', lines: stsPolicyLines(policy), mx: policy.mx };
}

const because = 'REQUIRETLS of the message';

/**
 * RFC 8689 §4.2.1: the name of the host comes by DNSSEC, by an MTA-STS policy or from the administrator, and its certificate
 * stands for it, by TLSA records or by authorities.
 */
function requireTls(target: Target, route: SendRoute, byDomain: PolicyFinding | undefined): PolicyFinding {
  if (byDomain?.kind === 'pass-over') return byDomain;
  const refused = (reason: string): PolicyFinding => ({
    kind: 'pass-over',
    failure: 'validation-failure',
    reason: `${because}: ${reason}`,
    by: 'REQUIRETLS',
  });
  const { level } = route.tls.policy;
  if (level === 'none') return refused(`${route.tls.because} forbids TLS`);
  const policy = byDomain?.policy ?? { demands: [route.tls] };
  const enforced = policy.demands.some((demand) => demand.policy.level === 'dane' || demand.by === 'MTA-STS');
  if (enforced) return { kind: 'policy', policy };
  const { serverName, dns } = target;
  if (dns?.domain !== undefined && !dns.secure)
    return refused(`neither DNSSEC nor an MTA-STS policy vouches for the MX records of ${dns.domain}`);
  // A smart host is the administrator's word; one that is an address needs a TlsDomain.
  if (level === 'domain') return { kind: 'policy', policy };
  if (serverName === undefined) return refused('an address has no name that a certificate could stand for');
  const demand: TlsDemand = { by: 'REQUIRETLS', policy: { level: 'domain', names: [serverName] }, because };
  return { kind: 'policy', policy: { ...policy, demands: [...policy.demands, demand] } };
}

function withDemand(route: SendRoute, demand: TlsDemand, serverName?: string): PolicyFinding {
  return {
    kind: 'policy',
    policy: { demands: [route.tls, demand], ...(serverName !== undefined && { serverName }) },
  };
}
