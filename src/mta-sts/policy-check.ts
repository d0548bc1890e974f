/** Whether the policy that we serve is one that senders find, believe and can obey: what the DNS says of each accepted domain. */
import type { AcceptedDomain } from '../config/index.ts';
import { type DnsAsker, DnsFailure, type DnsType, txtTexts } from '../dns/index.ts';
import { type CertificateChoice, parseStsRecord, type StsPolicy, stsAllows } from '../tls/index.ts';
import { ownPolicyId, ownRecord } from './own-policy.ts';

export interface CheckedDomain {
  readonly domain: string;
  /** What is wrong, a line each; none: senders find the policy and every MX host is in it. */
  readonly faults: readonly string[];
}

/** Chooses the certificate for a policy host. */
type Choose = (host: string) => Pick<CertificateChoice, 'chosen' | 'outOfDate'>;

/** Accepted domains with a name of their own; `*` has none. */
export function policyDomains(domains: readonly Pick<AcceptedDomain, 'domainName'>[]): readonly string[] {
  const names = domains.map(({ domainName }) => domainName.replace(/^\*\./, '').toLowerCase());
  return [...new Set(names)].filter((name) => name !== '*');
}

/** Rejects only when `signal` ends it. */
export async function checkDomain(
  domain: string,
  policy: StsPolicy,
  parts: { readonly dns: DnsAsker; readonly choose: Choose },
  signal: AbortSignal,
): Promise<CheckedDomain> {
  const { dns, choose } = parts;
  const found = await Promise.all([
    recordFaults(domain, policy, dns, signal),
    hostFaults(domain, dns, signal),
    policy.mode === 'none' ? [] : mxFaults(domain, policy, dns, signal),
  ]);
  return { domain, faults: [...found.flat(), ...certificateFaults(`mta-sts.${domain}`, choose)] };
}

async function recordFaults(
  domain: string,
  policy: StsPolicy,
  dns: DnsAsker,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const name = `_mta-sts.${domain}`;
  const answer = await ask(dns, name, 'TXT', signal);
  if (typeof answer === 'string') return [answer];
  const wanted = `'${ownRecord(policy)}'`;
  try {
    const record = parseStsRecord(txtTexts(answer));
    if (record === undefined) return [`${name} has no TXT record: senders do not look for the policy; it is ${wanted}`];
    return record.id === ownPolicyId(policy)
      ? []
      : [`the TXT record of ${name} has the id ${record.id}: senders keep a policy that they have; it is ${wanted}`];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [`the TXT record of ${name} is invalid: ${error.message}; it is ${wanted}`];
  }
}

async function hostFaults(domain: string, dns: DnsAsker, signal: AbortSignal): Promise<readonly string[]> {
  const host = `mta-sts.${domain}`;
  const answers = await Promise.all([ask(dns, host, 'A', signal), ask(dns, host, 'AAAA', signal)]);
  const failed = answers.find((answer) => typeof answer === 'string');
  if (failed !== undefined) return [failed];
  const some = answers.some((answer) => typeof answer !== 'string' && answer.records.length > 0);
  return some ? [] : [`${host} has no address: nobody finds the policy`];
}

async function mxFaults(
  domain: string,
  policy: StsPolicy,
  dns: DnsAsker,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await ask(dns, domain, 'MX', signal);
  if (typeof answer === 'string') return [answer];
  const named = answer.records.map(({ data }) => (data as { readonly exchange: string }).exchange.replace(/\.$/, ''));
  // RFC 5321 §5.1: without MX records the domain is its own exchanger.
  const hosts = named.length === 0 ? [domain] : named;
  const loses = policy.mode === 'enforce' ? 'senders with MTA-STS pass it over' : 'senders with MTA-STS report it';
  return hosts
    .filter((host) => host !== '' && !stsAllows(policy, host))
    .map((host) => `the MX host ${host} of ${domain} is not in the policy: ${loses}`);
}

function certificateFaults(host: string, choose: Choose): readonly string[] {
  const { chosen, outOfDate } = choose(host);
  if (chosen === undefined) return [`no certificate stands for ${host}: the policy cannot be had`];
  if (outOfDate) return [`the certificate for ${host} is not in force: senders do not believe the policy`];
  return chosen.certificate.selfSigned
    ? [`the certificate for ${host} is self-signed: senders do not believe the policy`]
    : [];
}

/** The answer, or in words why there is none. */
async function ask(
  dns: DnsAsker,
  name: string,
  type: DnsType,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<DnsAsker['ask']>> | string> {
  try {
    return await dns.ask(name, type, signal);
  } catch (error) {
    if (error instanceof DnsFailure) return `the DNS gave no answer for the ${type} of ${name} (${error.code})`;
    throw error;
  }
}
