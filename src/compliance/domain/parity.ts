/** What must be alike on all hosts, addresses and ports that mail for one target may come to. Pure. */
import { isIPv6 } from 'node:net';
import { usualChains } from '../checks/chain-checks.ts';
import {
  type CertificateFact,
  type ChainFact,
  type Facts,
  featureNames,
  notTested,
  untestedReason,
} from '../facts/facts.ts';
import { reducedReason } from '../facts/untested.ts';
import { type Endpoint, endpointText, mxPort, portsBeside } from '../probe/endpoint.ts';
import type { DomainFacts } from './domain-answer.ts';

interface Seen {
  readonly target: Endpoint;
  readonly facts: Facts;
}

type Facet = (facts: Facts) => unknown;

/** What TLS itself shows. */
const tlsFacets: Readonly<Record<string, Facet>> = {
  versions: ({ protocols, untested }) => [protocols, partsOf(untested, 'protocols')],
  'cipher suites': ({ cipherSuites, untested }) => [
    Object.entries(cipherSuites).map(([version, list]) => [version, [...list].toSorted()]),
    partsOf(untested, 'cipherSuites'),
  ],
  'order of suites': ({ serverOrder }) => serverOrder,
  groups: ({ groups, untested }) => [groups.toSorted(), partsOf(untested, 'groups')],
  trust: ofChains(({ trust, inOrder }) => `${trust}, ${inOrder ? 'in order' : 'out of order'}`),
  'names of the certificate': ofChains(({ matchesHost = 'not asked' }) => String(matchesHost)),
  'kinds of key': ofChains((_, { key }) => `${key.type} ${key.curve ?? key.bits}`),
};

/** Each by its own name. */
const featureFacets: Readonly<Record<string, Facet>> = Object.fromEntries(
  featureNames.map((name) => [name, ({ features }: Facts) => features[name]]),
);

/** What is done around it. */
const mailFacets: Readonly<Record<string, Facet>> = Object.fromEntries(
  [
    ['STARTTLS', 'starttls'],
    ['AUTH before TLS', 'authBeforeTls'],
    ['STARTTLS with a parameter', 'refusesParameter'],
    ['injection', 'injectable'],
    ['state inside TLS', 'stateReset'],
    ['REQUIRETLS', 'requireTls'],
  ].map(([name = '', subject = '']) => [name, ({ mail }: Facts) => mail?.[subject]]),
);

/** What the hosts of one domain have in DNS. */
const dnsFacets: Readonly<Record<string, Facet>> = Object.fromEntries(
  [
    ['TLSA records', 'tlsaPresent'],
    ['match of TLSA records', 'tlsaMatch'],
    ['signatures of DNS', 'dnssec'],
    ['MTA-STS', 'mtaStsCover'],
  ].map(([name = '', subject = '']) => [
    name,
    ({ mail }: Facts) => (mail?.['domain'] as DomainFacts | undefined)?.[subject]?.answer,
  ]),
);

const hostFacets = { ...tlsFacets, ...featureFacets, ...mailFacets, ...dnsFacets };

/** On the addresses of one host the certificates themselves are the same. */
const certificates: Facet = ofChains((_, { sha256 }) => sha256);

function partsOf(untested: Readonly<Record<string, string>>, part: string): string[] {
  return Object.entries(untested).flatMap(([name, reason]) =>
    name === part || name.startsWith(`${part}.`) ? [notTested(reason)] : [],
  );
}

/** Of every chain that a sender may be shown, sorted; why there is none where none was seen. */
function ofChains(textOf: (chain: ChainFact, leaf: CertificateFact) => string): Facet {
  return (facts) => {
    const texts = usualChains(facts).chain.flatMap((chain) => {
      const leaf = facts.certificates[chain.certificates[0] ?? -1];
      return leaf === undefined ? [] : textOf(chain, leaf);
    });
    if (texts.length === 0) return notTested(facts.untested['certificates'] ?? 'no certificate was seen');
    return [...new Set(texts)].toSorted();
  };
}

/** The same facts with what they have in common: `parity`, `ports` and `starttlsByFamily`, as rules name them. */
export function withParity<T extends Seen>(seen: readonly T[]): readonly T[] {
  const mx = seen.filter(({ target }) => target.port === mxPort || !(target.port in portsBeside));
  const first = mx[0];
  return seen.map((one) => {
    const { mail } = one.facts;
    if (mail === undefined) return one;
    const more: Record<string, string> = {};
    if (mx.length > 1 && first !== undefined && mx.includes(one)) more['parity'] = parityOf(mx, first);
    const beside = seen.filter(
      ({ target }) => target.address === one.target.address && !mx.some((x) => x.target === target),
    );
    if (mx.includes(one) && beside.length > 0) more['ports'] = portsOf(one, beside);
    const elsewhere = offeredElsewhere(one, seen);
    if (elsewhere !== undefined) more['starttlsByFamily'] = elsewhere;
    return { ...one, facts: { ...one.facts, mail: { ...mail, ...more } } };
  });
}

function parityOf(mx: readonly Seen[], first: Seen): string {
  const others = mx.slice(1).map((other) => {
    const home = mx.find(({ target }) => target.host === other.target.host) ?? other;
    const { different, unknown } = compare(first, other, hostFacets);
    const ofHost = compare(home, other, { certificates });
    return { other, different: [...different, ...ofHost.different], unknown: unknown ?? ofHost.unknown };
  });
  const unlike = others.filter(({ different }) => different.length > 0);
  if (unlike.length > 0) {
    const texts = unlike.map(({ other, different }) => `${endpointText(other.target)} (${different.join(', ')})`);
    return `unlike ${endpointText(first.target)}: ${texts.join('; ')}`;
  }
  return sameUnless(others, 'same');
}

function sameUnless(compared: readonly { readonly unknown: string | undefined }[], same: string): string {
  const unknown = compared.find((one) => one.unknown !== undefined)?.unknown;
  return unknown === undefined ? same : notTested(unknown);
}

function portsOf(one: Seen, beside: readonly Seen[]): string {
  const compared = beside.map((other) => ({ other, ...compare(one, other, { ...tlsFacets, ...featureFacets }) }));
  const unlike = compared.filter(({ different }) => different.length > 0);
  if (unlike.length > 0)
    return `unlike: ${unlike.map(({ other, different }) => `port ${other.target.port} (${different.join(', ')})`).join('; ')}`;
  return sameUnless(compared, `same on ${beside.map(({ target }) => target.port).join(' and ')}`);
}

/** What was not tested on one of two sides is no difference, and no likeness. */
function compare(
  one: Seen,
  other: Seen,
  facets: Readonly<Record<string, Facet>>,
): { readonly different: string[]; readonly unknown: string | undefined } {
  const different: string[] = [];
  let unknown: string | undefined;
  for (const [name, facet] of Object.entries(facets)) {
    const [left, right] = [JSON.stringify(facet(one.facts)) ?? '', JSON.stringify(facet(other.facts)) ?? ''];
    const reason = [left, right].map(reasonIn).find((text) => text !== undefined);
    if (reason !== undefined) unknown ??= reason;
    // What one of them was never asked for is no difference: why, another facet says.
    else if (left !== right && left !== '' && right !== '') different.push(name);
  }
  return { different, unknown };
}

/** Why a facet was not looked at; what nobody asked for is no reason. */
function reasonIn(json: string): string | undefined {
  const reasons = [...json.matchAll(/not-tested\(((?:[^()"]|\([^()"]*\))*)\)/g)].map(([, reason]) => reason);
  return reasons.find((reason) => reason !== reducedReason);
}

/** RFC 3207 §6: STARTTLS that is offered over one address family alone was stripped from the other. */
function offeredElsewhere({ target, facts }: Seen, seen: readonly Seen[]): string | undefined {
  const others = seen.filter(
    (other) =>
      other.target.host === target.host &&
      other.target.port === target.port &&
      isIPv6(other.target.address) !== isIPv6(target.address),
  );
  if (others.length === 0 || facts.mail === undefined) return undefined;
  const reason = untestedReason(facts.mail.starttls);
  if (reason !== undefined) return notTested(reason);
  const offered = others.find((other) => other.facts.mail?.starttls === 'offered');
  if (facts.mail.starttls === 'offered' || offered === undefined) return 'same';
  return `offered at ${offered.target.address}, not at ${target.address}`;
}
