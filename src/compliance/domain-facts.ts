/** What DNS and the published policy say of a domain and its hosts: DNSSEC, TLSA, MTA-STS, TLS-RPT, CAA. */
import { X509Certificate } from 'node:crypto';
import { type DnsAnswer, DnsFailure, type DnsType } from '../dns/index.ts';
import {
  matchesHost,
  matchTlsa,
  parseStsPolicy,
  parseStsRecord,
  readCertificate,
  type StsPolicy,
  stsAllows,
  type TlsaRecord,
  tlsaText,
  unusableReason,
} from '../tls/index.ts';
import type { ChainFact, Facts } from './facts.ts';
import { notTested } from './facts.ts';
import type { FetchedPolicy } from './sts-fetch.ts';
import type { Lookup } from './targets.ts';

export interface DomainAnswer {
  readonly answer: 'yes' | 'no' | 'not-applicable' | `not-tested(${string})`;
  readonly evidence: string;
}

/** By subject, as rules name them. */
export type DomainFacts = Readonly<Record<string, DomainAnswer>>;

const yes = (evidence: string): DomainAnswer => ({ answer: 'yes', evidence });
const no = (evidence: string): DomainAnswer => ({ answer: 'no', evidence });
const pointless = (evidence: string): DomainAnswer => ({ answer: 'not-applicable', evidence });
const untested = (reason: string): DomainAnswer => ({ answer: notTested(reason), evidence: '' });

export interface DomainParts {
  readonly lookup: Lookup;
  /** Whether AD of this resolver may be believed; else nothing of DNSSEC is tested. */
  readonly believed: boolean;
  /** Fetches the policy of a domain. */
  readonly fetchPolicy: (domain: string) => Promise<FetchedPolicy>;
  readonly signal: AbortSignal;
}

/** What is the same for all hosts of a domain; asked once. */
export interface DomainSurvey {
  readonly facts: DomainFacts;
  readonly policy: StsPolicy | undefined;
  readonly mxSecure: boolean;
}

const notBelieved = 'no validating resolver on loopback or declared trusted was named (--resolver)';

export async function surveyDomain(domain: string, mxSecure: boolean, parts: DomainParts): Promise<DomainSurvey> {
  const facts: Record<string, DomainAnswer> = {};
  facts['tlsRpt'] = await orFailure(async () => {
    const texts = textsOf(await ask(parts, `_smtp._tls.${domain}`, 'TXT')).filter((text) =>
      /^v=TLSRPTv1\s*(;|$)/.test(text),
    );
    if (texts.length !== 1) return no(texts.length === 0 ? 'no record' : `${texts.length} records`);
    return /;\s*rua=\s*(mailto:|https:)/.test(texts[0] ?? '') ? yes(texts[0] ?? '') : no(`no rua: ${texts[0] ?? ''}`);
  });
  const policy = await surveyPolicy(domain, parts, facts);
  return { facts, policy, mxSecure };
}

async function surveyPolicy(
  domain: string,
  parts: DomainParts,
  facts: Record<string, DomainAnswer>,
): Promise<StsPolicy | undefined> {
  facts['mtaStsRecord'] = await orFailure(async () => {
    const record = parseStsRecord(textsOf(await ask(parts, `_mta-sts.${domain}`, 'TXT')));
    return record === undefined ? no('no record') : yes(`id ${record.id}`);
  });
  const without = pointless('no MTA-STS record');
  if (facts['mtaStsRecord'].answer !== 'yes') {
    Object.assign(facts, {
      mtaStsPolicy: facts['mtaStsRecord'].answer === 'no' ? no('no MTA-STS record') : without,
      mtaStsMode: without,
      mtaStsMaxAge: without,
    });
    return undefined;
  }
  const fetched = await parts.fetchPolicy(domain);
  if (fetched.kind === 'failed') {
    Object.assign(facts, { mtaStsPolicy: no(fetched.reason), mtaStsMode: without, mtaStsMaxAge: without });
    return undefined;
  }
  try {
    const policy = parseStsPolicy(fetched.text);
    facts['mtaStsPolicy'] = yes(`mode ${policy.mode}, ${policy.mx.length} mx`);
    facts['mtaStsMode'] = policy.mode === 'enforce' ? yes('enforce') : no(policy.mode);
    facts['mtaStsMaxAge'] = policy.maxAge >= 604_800 ? yes(`${policy.maxAge} s`) : no(`${policy.maxAge} s`);
    return policy;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.assign(facts, { mtaStsPolicy: no(error.message), mtaStsMode: without, mtaStsMaxAge: without });
    return undefined;
  }
}

/** Facts of one host of the domain, with the chain that it showed. */
export async function surveyHost(
  host: string,
  facts: Facts,
  domain: string,
  survey: DomainSurvey,
  parts: DomainParts,
): Promise<DomainFacts> {
  const found: Record<string, DomainAnswer> = { ...survey.facts };
  found['caa'] = await orFailure(() => caaOf(host, parts));
  found['dnssec'] = await orFailure(() => dnssecOf(host, survey, parts));
  await tlsaOf(host, facts, domain, found, parts);
  const chain = firstShown(facts);
  if (survey.policy === undefined || survey.policy.mode === 'none')
    found['mtaStsCover'] = pointless('no MTA-STS policy');
  else if (!stsAllows(survey.policy, host)) found['mtaStsCover'] = no(`${host} is in no mx of the policy`);
  else if (chain === undefined) found['mtaStsCover'] = untested('no certificate was seen');
  else if (chain.trust !== 'trusted') found['mtaStsCover'] = no(chain.trust);
  else found['mtaStsCover'] = chain.matchesHost === true ? yes(host) : no('the certificate holds another name');
  return found;
}

/** CAA at the host or the nearest parent that has some, RFC 8659 §3. */
async function caaOf(host: string, parts: DomainParts): Promise<DomainAnswer> {
  for (let name = host; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const { records } = await ask(parts, name, 'CAA');
    if (records.length > 0) return yes(`${records.length} records at ${name}`);
  }
  return no('no record');
}

async function dnssecOf(host: string, { mxSecure }: DomainSurvey, parts: DomainParts): Promise<DomainAnswer> {
  if (!parts.believed) return untested(notBelieved);
  const address = await ask(parts, host, 'A');
  const other = address.records.length > 0 ? address : await ask(parts, host, 'AAAA');
  if (mxSecure && other.secure) return yes('MX and address records');
  return no(mxSecure ? 'the address records are not signed' : 'the MX records are not signed');
}

async function tlsaOf(
  host: string,
  facts: Facts,
  domain: string,
  found: Record<string, DomainAnswer>,
  parts: DomainParts,
): Promise<void> {
  const names = ['tlsaPresent', 'tlsaUsable', 'tlsaMatch', 'tlsaRollover', 'denial'];
  const all = (answer: DomainAnswer): void => {
    for (const name of names) found[name] = answer;
  };
  if (!parts.believed) return all(untested(notBelieved));
  try {
    const base = `_25._tcp.${host}`;
    const answer = await ask(parts, base, 'TLSA');
    // RFC 7672 §2.1.1: many servers answer a name near TLSA records wrongly, and mail is deferred for it.
    const denial = await ask(parts, base, 'A');
    found['denial'] = !answer.secure || denial.secure ? yes(denial.code) : no('the denial is not signed');
    const records = answer.records.map(({ data }) => data as TlsaRecord);
    if (records.length === 0) {
      Object.assign(found, {
        tlsaPresent: no('no record'),
        tlsaUsable: pointless('no TLSA record'),
        tlsaMatch: no('no TLSA record'),
        tlsaRollover: pointless('no TLSA record'),
      });
      return;
    }
    const texts = records.map(tlsaText).join(', ');
    found['tlsaPresent'] = answer.secure ? yes(texts) : no(`not signed: ${texts}`);
    const bad = records.flatMap((record) => unusableReason(record) ?? []);
    found['tlsaUsable'] =
      bad.length < records.length ? (bad.length === 0 ? yes(texts) : no(bad.join(', '))) : no(bad.join(', '));
    found['tlsaMatch'] = matchOf(records, host, domain, facts);
    found['tlsaRollover'] = records.length - bad.length > 1 ? yes(texts) : no('one usable record');
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error;
    all(untested(error.message));
    if (error.code === 'SERVFAIL') found['denial'] = no(error.message);
  }
}

/** Every chain that the host shows must match: which one a sender gets, it cannot choose. */
function matchOf(records: readonly TlsaRecord[], host: string, domain: string, facts: Facts): DomainAnswer {
  const chains = facts.chain.filter(({ seenWith }) => seenWith.some((label) => !label.includes(' ')));
  if (chains.length === 0) return untested('no certificate was seen');
  for (const chain of chains) {
    const ders = chain.certificates
      .flatMap((at) => facts.certificates[at] ?? [])
      .map(({ pem }) => new X509Certificate(pem).raw);
    const [leaf] = ders;
    const read = leaf === undefined ? undefined : readCertificate(leaf);
    const namesMatch = read !== undefined && [host, domain].some((name) => matchesHost(read, name));
    const { matches, reason } = matchTlsa(records, ders, { namesMatch, now: Date.now() });
    if (!matches) return no(`${chain.seenWith.join(', ')}: ${reason}`);
  }
  return yes(`${chains.length} chains match`);
}

/** The chain that hellos without a name were answered with. */
function firstShown(facts: Facts): ChainFact | undefined {
  return facts.chain.find(({ seenWith }) => seenWith.some((label) => !label.includes(' ')));
}

function ask({ lookup, signal }: DomainParts, name: string, type: DnsType): Promise<DnsAnswer> {
  return lookup.ask(name, type, signal);
}

/** TXT records, each joined from its strings. */
function textsOf({ records }: DnsAnswer): string[] {
  return records.map(({ data }) =>
    (Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(String(data))).toString('utf8'),
  );
}

async function orFailure(act: () => Promise<DomainAnswer>): Promise<DomainAnswer> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof DnsFailure) return untested(error.message);
    if (error instanceof RangeError) return no(error.message);
    throw error;
  }
}
