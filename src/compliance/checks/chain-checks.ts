/** Checks of certificates and chains. */
import type { CertificateFact, ChainFact, Facts } from '../facts/facts.ts';
import { fits, judgeList } from '../facts/name-lists.ts';
import type { Rule } from '../facts/profile.ts';
import { type Check, type Finding, missed, notApplied, pass, untested, type VerdictName } from '../facts/verdict.ts';

function leaves(facts: Facts): readonly CertificateFact[] {
  return facts.chain.flatMap(({ certificates }) => facts.certificates[certificates[0] ?? -1] ?? []);
}

/** The worst of several findings; the first of equals. */
function worst(findings: readonly Finding[]): Finding {
  const order: readonly VerdictName[] = ['pass', 'not-applicable', 'info', 'notice', 'warn', 'fail'];
  const rank = ({ verdict }: Finding): number => (verdict.startsWith('not-tested') ? 1.5 : order.indexOf(verdict));
  return findings.reduce(
    (one, two) => (rank(two) > rank(one) ? two : one),
    findings[0] ?? untested('nothing was seen'),
  );
}

/** A check on every chain that was shown. */
function onChains(facts: Facts, act: (chain: ChainFact, leaf: CertificateFact) => Finding): Finding {
  const reason = facts.untested['certificates'];
  if (facts.chain.length === 0) return untested(reason ?? 'no certificate was seen');
  return worst(
    facts.chain.map((chain) => {
      const leaf = facts.certificates[chain.certificates[0] ?? -1];
      return leaf === undefined ? untested('no certificate was seen') : act(chain, leaf);
    }),
  );
}

/** What is shown for a name that is not the host's own says nothing of the host. */
export function usualChains(facts: Facts): Facts {
  return { ...facts, chain: facts.chain.filter(({ seenWith }) => seenWith.some((label) => !label.includes(' '))) };
}

const dayMs = 86_400_000;
const daysOf = ({ notBefore, notAfter }: CertificateFact): number =>
  (Date.parse(notAfter) - Date.parse(notBefore)) / dayMs;

/** What a leaf and its chain must be, by subject. */
const chainSubjects: Readonly<
  Record<string, (chain: ChainFact, leaf: CertificateFact, now: number) => readonly [boolean, string]>
> = {
  trust: ({ trust }) => [trust === 'trusted', trust],
  // Rules about the host name are passed over where an address was asked for: see `chain`.
  matchesHost: ({ matchesHost }, { sans }) => [matchesHost ?? true, `names: ${sans.join(', ') || 'none'}`],
  inOrder: ({ inOrder, certificates }) => [
    inOrder,
    `${certificates.length} certificates ${inOrder ? 'in order' : 'out of order'}`,
  ],
  noWildcard: (_, { sans, subject }) => [
    ![...sans, subject].some((name) => name.includes('*')),
    sans.join(', ') || subject,
  ],
  keyUsage: (_, { keyUsage }) => [keyUsage !== undefined, keyUsage?.join(', ') ?? 'no key usage'],
  keyUsageCritical: (_, { keyUsage, keyUsageCritical }) => [
    keyUsageCritical === true,
    keyUsage === undefined ? 'no key usage' : `${keyUsage.join(', ')}${keyUsageCritical === true ? ', critical' : ''}`,
  ],
  digitalSignature: (_, { keyUsage }) => [
    keyUsage === undefined || keyUsage.includes('digitalSignature'),
    keyUsage?.join(', ') ?? 'any use',
  ],
  revocationPlace: (_, { revocation = [] }) => [
    revocation.length > 0,
    revocation.join(', ') || 'neither an OCSP responder nor a revocation list is named',
  ],
  timestamps: ({ timestamps }) => [timestamps > 0, `${timestamps} timestamps`],
  san: (_, { sans }) => [sans.length > 0, sans.join(', ') || 'no subject alternative name'],
  version3: (_, { version }) => [version === 3, `version ${version}`],
  plainSubject: (_, { subject, sans, commonName = '', multiValued = false }) => [
    !multiValued && sans.includes(commonName.toLowerCase()),
    subject || 'an empty subject',
  ],
  serverAuth: (_, { extendedKeyUsage = [] }) => [
    extendedKeyUsage.includes('serverAuth') && !extendedKeyUsage.includes('anyExtendedKeyUsage'),
    extendedKeyUsage.join(', ') || 'no extended key usage',
  ],
  serverAuthOrAbsent: (_, { extendedKeyUsage }) => [
    extendedKeyUsage === undefined ||
      extendedKeyUsage.some((use) => use === 'serverAuth' || use === 'anyExtendedKeyUsage'),
    extendedKeyUsage?.join(', ') ?? 'any use',
  ],
  clientAuth: (_, { extendedKeyUsage }) => [
    extendedKeyUsage === undefined || extendedKeyUsage.includes('clientAuth'),
    extendedKeyUsage?.join(', ') ?? 'any use',
  ],
  inForce: (_, { notBefore, notAfter }, now) => [
    Date.parse(notBefore) <= now && now <= Date.parse(notAfter),
    `${notBefore} to ${notAfter}`,
  ],
};

export const chainSubjectNames: readonly string[] = Object.keys(chainSubjects);

function judgeKey(key: CertificateFact['key'], rule: Rule): Finding {
  const { type, bits, curve = '' } = key;
  const text = curve === '' ? `${type} ${bits}` : `${type} ${curve}`;
  const family = type.startsWith('rsa') ? 'rsa' : type === 'dsa' ? 'dsa' : 'ec';
  if (rule.types !== undefined && !rule.types.includes(family)) return missed(rule, text);
  if (family !== 'ec') {
    if (rule.rsaBits === undefined || bits >= rule.rsaBits.good) return pass(text);
    const { tolerate } = rule.rsaBits;
    return tolerate !== undefined && bits >= tolerate
      ? { verdict: rule.missTolerated ?? 'warn', evidence: text }
      : missed(rule, text);
  }
  if (rule.curves !== undefined) {
    if (fits(curve, rule.curves.accept)) return pass(text);
    return fits(curve, rule.curves.tolerate)
      ? { verdict: rule.missTolerated ?? 'warn', evidence: text }
      : missed(rule, text);
  }
  return rule.ecBits === undefined || bits >= rule.ecBits.good ? pass(text) : missed(rule, text);
}

export const chainChecks: Readonly<Record<string, Check>> = {
  key: (facts, rule) => onChains(facts, (_, leaf) => judgeKey(leaf.key, rule)),

  /** Every certificate that was sent but roots. */
  'chain-signature': (facts, rule) => {
    if (facts.certificates.length === 0) return untested(facts.untested['certificates'] ?? 'no certificate was seen');
    const looked = facts.certificates.filter(
      ({ selfSigned, isCa }) => !(selfSigned && isCa && facts.certificates.length > 1),
    );
    return judgeList([...new Set(looked.map(({ signatureAlgorithm }) => signatureAlgorithm))], rule);
  },

  'leaf-signature': (facts, rule) => {
    const found = leaves(facts).map(({ signatureAlgorithm }) => signatureAlgorithm);
    return found.length === 0 ? untested('no certificate was seen') : judgeList([...new Set(found)], rule);
  },

  /** Nobody who vouches for the chain has taken it back: by the staple, else by who was asked. */
  revocation: (facts, rule) =>
    onChains(facts, ({ trust, staple, stapleReason = '', revocation }, leaf) => {
      if (trust !== 'trusted') return notApplied('nobody who is trusted vouches for it');
      if (staple === 'good') return pass(`staple: ${stapleReason}`);
      if (staple === 'revoked') return missed(rule, `staple: ${stapleReason}`);
      if (leaf.revocation === undefined)
        return notApplied('it names no place where to ask: its issuer does not revoke it');
      if (revocation === undefined) return untested('its issuer was not asked');
      if (revocation.state === 'unknown') return untested(revocation.reason);
      return revocation.state === 'good' ? pass(revocation.reason) : missed(rule, revocation.reason);
    }),

  lifetime: (facts, rule) =>
    onChains(facts, (_, leaf) => {
      const days = Math.round(daysOf(leaf));
      return days <= (rule.maxDays ?? 0) ? pass(`${days} days`) : missed(rule, `${days} days`);
    }),

  /** Authorities may issue for less and less time; private ones for as long as they like. */
  'public-lifetime': (facts, rule) =>
    onChains(facts, ({ trust }, leaf) => {
      if (trust !== 'trusted') return notApplied('not publicly trusted');
      const step = (rule.steps ?? []).findLast(({ issuedFrom }) => leaf.notBefore >= issuedFrom);
      const days = Math.round(daysOf(leaf));
      return step === undefined || days <= step.maxDays
        ? pass(`${days} days`)
        : missed(rule, `${days} days, ${step.maxDays} are allowed`);
    }),

  expiry: (facts, rule, { now }) =>
    onChains(facts, (_, leaf) => {
      const left = Math.floor((Date.parse(leaf.notAfter) - now) / dayMs);
      // Short-lived certificates are renewed later: half the notice is enough.
      const scale = daysOf(leaf) <= 100 ? 0.5 : 1;
      const text = `${left} days are left, until ${leaf.notAfter}`;
      if (left <= (rule.failDays ?? 0)) return { verdict: 'fail', evidence: text };
      if (left < (rule.warnDays ?? 0) * scale) return { verdict: 'warn', evidence: text };
      return left < (rule.noticeDays ?? 0) * scale ? { verdict: 'notice', evidence: text } : pass(text);
    }),

  /** A staple is good, and there where the certificate demands it. */
  staple: (facts, rule) =>
    onChains(usualChains(facts), ({ staple, stapleReason }, { mustStaple }) => {
      if (staple === 'unverified') return untested(stapleReason ?? staple);
      if (staple === 'none' && !mustStaple) return pass('no staple is demanded');
      const evidence = `staple: ${staple}${stapleReason === undefined ? '' : ` (${stapleReason})`}`;
      return staple === 'good' ? pass(evidence) : missed(rule, evidence);
    }),

  chain: (facts, rule, { now }) => {
    const subject = chainSubjects[rule.subject ?? ''];
    if (subject === undefined) throw new RangeError(`rule ${rule.id}: there is no subject '${rule.subject ?? ''}'`);
    const usual = usualChains(facts);
    if (rule.subject === 'matchesHost' && usual.chain.some(({ matchesHost }) => matchesHost === undefined)) {
      return notApplied('an address was asked for, not a name');
    }
    return onChains(usual, (chain, leaf) => {
      const [good, evidence] = subject(chain, leaf, now);
      return good ? pass(evidence) : missed(rule, evidence);
    });
  },

  /** The name that was demanded on the command line or by the connector. */
  demanded: (facts, rule) =>
    onChains(facts, ({ demanded }) => {
      if (demanded === undefined) return notApplied('no name was demanded');
      return demanded === 'met' ? pass('the demanded name') : missed(rule, demanded);
    }),
};
