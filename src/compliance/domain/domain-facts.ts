/** What DNS and the published policy say of a domain and its hosts: DNSSEC, TLSA, MTA-STS, TLS-RPT, CAA. */
import { txtTexts } from '../../dns/index.ts';
import { parseStsPolicy, parseStsRecord, type StsPolicy, stsAllows } from '../../tls/index.ts';
import { usualChains } from '../checks/chain-checks.ts';
import type { Facts } from '../facts/facts.ts';
import { type Endpoint, mxPort } from '../probe/endpoint.ts';
import {
  ask,
  type DomainAnswer,
  type DomainFacts,
  type DomainParts,
  no,
  notBelieved,
  orFailure,
  pointless,
  untested,
  yes,
} from './domain-answer.ts';
import { tlsaFacts, tlsaNames } from './tlsa-facts.ts';

/** What is the same for all hosts of a domain; asked once. */
export interface DomainSurvey {
  readonly domain: string;
  readonly facts: DomainFacts;
  readonly policy: StsPolicy | undefined;
  readonly mxSecure: boolean;
}

export async function surveyDomain(domain: string, mxSecure: boolean, parts: DomainParts): Promise<DomainSurvey> {
  const facts: Record<string, DomainAnswer> = {};
  facts['tlsRpt'] = await orFailure(async () => {
    const texts = txtTexts(await ask(parts, `_smtp._tls.${domain}`, 'TXT')).filter((text) =>
      /^v=TLSRPTv1\s*(;|$)/.test(text),
    );
    if (texts.length !== 1) return no(texts.length === 0 ? 'no record' : `${texts.length} records`);
    return /;\s*rua=\s*(mailto:|https:)/.test(texts[0] ?? '') ? yes(texts[0] ?? '') : no(`no rua: ${texts[0] ?? ''}`);
  });
  const policy = await surveyPolicy(domain, parts, facts);
  return { domain, facts, policy, mxSecure };
}

async function surveyPolicy(
  domain: string,
  parts: DomainParts,
  facts: Record<string, DomainAnswer>,
): Promise<StsPolicy | undefined> {
  facts['mtaStsRecord'] = await orFailure(async () => {
    const record = parseStsRecord(txtTexts(await ask(parts, `_mta-sts.${domain}`, 'TXT')));
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
    facts['mtaStsMaxAgeDay'] = policy.maxAge >= 86_400 ? yes(`${policy.maxAge} s`) : no(`${policy.maxAge} s`);
    return policy;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.assign(facts, { mtaStsPolicy: no(error.message), mtaStsMode: without, mtaStsMaxAge: without });
    return undefined;
  }
}

/** What there is of a domain alone, where a host was asked for. */
const ofDomain = [
  'tlsRpt',
  'mtaStsRecord',
  'mtaStsPolicy',
  'mtaStsMode',
  'mtaStsMaxAge',
  'mtaStsMaxAgeDay',
  'mtaStsCover',
] as const;

/** Facts of one host, with the chains that it showed; of its domain, too, where that led there. */
export async function surveyHost(
  endpoint: Endpoint,
  facts: Facts,
  survey: DomainSurvey | undefined,
  parts: DomainParts,
): Promise<DomainFacts> {
  const { host, port } = endpoint;
  const led = port === mxPort ? survey : undefined;
  const without = pointless(survey === undefined ? 'no domain was asked for' : `port ${port} is not where MX leads`);
  const found: Record<string, DomainAnswer> = {};
  for (const name of ofDomain) found[name] = led?.facts[name] ?? without;
  found['caa'] = await orFailure(() => caaOf(host, parts));
  // Nobody asked for DNSSEC: without a resolver to believe, a host alone is not worse for it.
  if (led === undefined && !parts.believed) {
    for (const name of ['dnssec', ...tlsaNames]) found[name] = without;
    return found;
  }
  found['dnssec'] = await orFailure(() => dnssecOf(host, led, parts));
  Object.assign(found, await tlsaFacts(endpoint, facts, survey?.domain, parts));
  if (led !== undefined) found['mtaStsCover'] = coverOf(host, facts, led.policy);
  return found;
}

function coverOf(host: string, facts: Facts, policy: StsPolicy | undefined): DomainAnswer {
  if (policy === undefined || policy.mode === 'none') return pointless('no MTA-STS policy');
  if (!stsAllows(policy, host)) return no(`${host} is in no mx of the policy`);
  // Which of its chains a sender gets, it cannot choose.
  const chains = usualChains(facts).chain;
  if (chains.length === 0) return untested('no certificate was seen');
  const bad = chains.find(({ trust, matchesHost }) => trust !== 'trusted' || matchesHost !== true);
  if (bad === undefined) return yes(host);
  return no(bad.trust === 'trusted' ? 'the certificate holds another name' : bad.trust);
}

/** CAA at the host or the nearest parent that has some, RFC 8659 §3. */
async function caaOf(host: string, parts: DomainParts): Promise<DomainAnswer> {
  for (let name = host; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const { records } = await ask(parts, name, 'CAA');
    if (records.length === 0) continue;
    const all = records.map(({ data }) => data as CaaRecord);
    const text = `${all.map(caaText).join(', ')} at ${name}`;
    const unknown = all.find(({ issuerCritical, tag }) => issuerCritical && !knownTags.includes(tag.toLowerCase()));
    // RFC 8659 §4.1: an authority that does not know it must not issue.
    return unknown === undefined ? yes(text) : no(`the critical property '${unknown.tag}' is unknown: ${text}`);
  }
  return no('no record');
}

interface CaaRecord {
  readonly issuerCritical: boolean;
  readonly tag: string;
  readonly value: string;
}

const caaText = ({ issuerCritical, tag, value }: CaaRecord): string => `${issuerCritical ? 128 : 0} ${tag} "${value}"`;

/** Properties in IANA's registry: RFC 8659 §4, RFC 9495, CA/Browser Forum baseline requirements. */
const knownTags: readonly string[] = [
  'issue',
  'issuewild',
  'iodef',
  'issuemail',
  'issuevmc',
  'contactemail',
  'contactphone',
];

async function dnssecOf(host: string, led: DomainSurvey | undefined, parts: DomainParts): Promise<DomainAnswer> {
  if (!parts.believed) return untested(notBelieved);
  const address = await ask(parts, host, 'A');
  const other = address.records.length > 0 ? address : await ask(parts, host, 'AAAA');
  if (!other.secure) return no('the address records are not signed');
  if (led === undefined) return yes('address records');
  return led.mxSecure ? yes('MX and address records') : no('the MX records are not signed');
}
