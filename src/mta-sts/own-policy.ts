/** Our own policy as a value, as the text that is served, and by its id. */
import { hash } from 'node:crypto';
import { type StsPolicy, stsPolicyLines } from '../tls/index.ts';

/** What the server's object says. */
export interface OwnPolicySettings {
  readonly mtaStsPolicyMode: 'None' | 'Testing' | 'Enforce';
  /** Hosts and `*.` patterns; none: the server itself. */
  readonly mtaStsPolicyMx: readonly string[];
  /** Seconds. */
  readonly mtaStsPolicyMaxAge: number;
  readonly fqdn: string;
}

const modes = { None: 'none', Testing: 'testing', Enforce: 'enforce' } as const;

/** RFC 8461 §8.3: a policy with mode 'none' is how a domain takes one back, so it is served too. */
export function ownPolicy(settings: OwnPolicySettings): StsPolicy {
  const { mtaStsPolicyMode, mtaStsPolicyMx, mtaStsPolicyMaxAge, fqdn } = settings;
  const mx = mtaStsPolicyMx.length > 0 ? mtaStsPolicyMx : [fqdn];
  return { mode: modes[mtaStsPolicyMode], mx: mx.map((name) => name.toLowerCase()), maxAge: mtaStsPolicyMaxAge };
}

/** §3.2: lines end with CRLF. */
export function policyText(policy: StsPolicy): string {
  return stsPolicyLines(policy)
    .map((line) => `${line}\r\n`)
    .join('');
}

/** §3.1: changes with the policy, so that senders fetch it anew; made of the policy, so that it never has to be remembered. */
export function ownPolicyId(policy: StsPolicy): string {
  return hash('sha256', policyText(policy), 'hex').slice(0, 20);
}

/** The TXT record of `_mta-sts.<domain>`. */
export function ownRecord(policy: StsPolicy): string {
  return `v=STSv1; id=${ownPolicyId(policy)};`;
}
