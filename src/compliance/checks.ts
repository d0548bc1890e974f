/** The checks that rules name. Each is a pure function of facts and rule; what was not seen is never a pass. */
import { wildcardTest } from '../base/index.ts';
import type { CertificateFact, ChainFact, FeatureName, ProtocolName } from './facts.ts';
import { type Facts, notApplicableReason, notTested, untestedReason } from './facts.ts';
import type { Rule } from './profile.ts';
import type { Finding, JudgeContext, VerdictName } from './verdict.ts';

type Check = (facts: Facts, rule: Rule, context: JudgeContext) => Finding;

const pass = (evidence: string): Finding => ({ verdict: 'pass', evidence });
const missed = (rule: Rule, evidence: string): Finding => ({ verdict: rule.miss, evidence });
const untested = (reason: string): Finding => ({ verdict: notTested(reason), evidence: '' });
const notApplicable = (evidence: string): Finding => ({ verdict: 'not-applicable', evidence });

/** A name against names with `*`, without regard to case. */
function fits(name: string, patterns: readonly string[] = []): boolean {
  return patterns.some((pattern) => wildcardTest(pattern)(name));
}

/** Names of a subject: 'groups', 'groups.curves', 'signatureAlgorithms', 'protocols', 'cipherSuites.tls1_2'. */
function namesOf(facts: Facts, subject: string): readonly string[] | Finding {
  const [list = '', version] = subject.split('.');
  if (list === 'protocols')
    return Object.entries(facts.protocols).flatMap(([name, answer]) => (answer === 'offered' ? [name] : []));
  if (list === 'cipherSuites') return suitesOf(facts, version as ProtocolName);
  const reason = facts.untested[list];
  if (reason !== undefined) return untested(reason);
  if (list === 'signatureAlgorithms') return facts.signatureAlgorithms;
  if (list !== 'groups') throw new RangeError(`there is no subject '${subject}'`);
  return version === 'curves' ? facts.groups.filter((name) => !name.startsWith('ffdhe')) : facts.groups;
}

function suitesOf(facts: Facts, version: ProtocolName): readonly string[] | Finding {
  const answer = facts.protocols[version];
  if (answer === 'not-offered') return notApplicable(`${version} is not taken`);
  const reason = untestedReason(answer) ?? facts.untested[`cipherSuites.${version}`] ?? facts.untested['cipherSuites'];
  if (reason !== undefined) return untested(reason);
  return facts.cipherSuites[version] ?? untested('the cipher suites are not known');
}

/**
 * The class of a name. What is named counts before what `*` stands for: 'accept all but tolerate these' and 'accept
 * these, tolerate all' both read as they are written.
 */
function classOf(name: string, { accept = [], tolerate = [], reject = [] }: Rule): 'accepted' | 'tolerated' | 'missed' {
  const named = (patterns: readonly string[]): readonly string[] => patterns.filter((pattern) => pattern !== '*');
  if (fits(name, reject)) return 'missed';
  if (fits(name, named(accept))) return 'accepted';
  if (fits(name, named(tolerate))) return 'tolerated';
  if (accept.includes('*')) return 'accepted';
  return tolerate.includes('*') ? 'tolerated' : 'missed';
}

/** Every name of a list against accept, tolerate and reject. */
function judgeList(names: readonly string[], rule: Rule): Finding {
  const looked = names.filter((name) => !fits(name, rule.ignore));
  const ofClass = (wanted: string): string => looked.filter((name) => classOf(name, rule) === wanted).join(', ');
  const [bad, tolerated] = [ofClass('missed'), ofClass('tolerated')];
  if (bad !== '') return missed(rule, bad);
  if (tolerated !== '') return { verdict: rule.missTolerated ?? 'notice', evidence: tolerated };
  return pass(looked.length === 0 ? 'none is there' : looked.join(', '));
}

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
  san: (_, { sans }) => [sans.length > 0, sans.join(', ') || 'no subject alternative name'],
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
  mustStaple: ({ staple }, { mustStaple }) => [
    staple === 'good' || (staple === 'none' && !mustStaple),
    staple === 'none' && !mustStaple ? 'no staple is demanded' : `staple: ${staple}`,
  ],
  inForce: (_, { notBefore, notAfter }, now) => [
    Date.parse(notBefore) <= now && now <= Date.parse(notAfter),
    `${notBefore} to ${notAfter}`,
  ],
};

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

export const checks: Readonly<Record<string, Check>> = {
  /** A version is taken, or not. */
  protocol: (facts, rule) => {
    const answer = facts.protocols[rule.subject as ProtocolName];
    const reason = untestedReason(answer);
    if (reason !== undefined) return untested(reason);
    return answer === rule.expect ? pass(answer) : missed(rule, answer);
  },

  /** Every name of a list is accepted. */
  list: (facts, rule) => {
    const names = namesOf(facts, rule.subject ?? '');
    return isFinding(names) ? names : judgeList(names, rule);
  },

  /** One of several names is there. A name may be 'a|b'. */
  any: (facts, rule) => {
    const names = namesOf(facts, rule.subject ?? '');
    if (isFinding(names)) return names;
    const found = (rule.of ?? []).filter((name) => names.includes(name));
    return found.length > 0 ? pass(found.join(', ')) : missed(rule, `none of ${(rule.of ?? []).join(', ')}`);
  },

  /** All of several names are there. */
  all: (facts, rule) => {
    const names = namesOf(facts, rule.subject ?? '');
    if (isFinding(names)) return names;
    const missing = (rule.of ?? []).filter((choice) => !choice.split('|').some((name) => names.includes(name)));
    return missing.length === 0 ? pass((rule.of ?? []).join(', ')) : missed(rule, `without ${missing.join(', ')}`);
  },

  feature: (facts, rule) => {
    const answer = facts.features[rule.subject as FeatureName];
    const pointless = notApplicableReason(answer);
    if (pointless !== undefined) return notApplicable(pointless);
    const reason = untestedReason(answer);
    if (reason !== undefined) return untested(reason);
    return answer === rule.expect ? pass(answer) : missed(rule, answer);
  },

  'finite-field': (facts, rule) => {
    const { dhe } = facts.features;
    const named = facts.groups.filter((name) => name.startsWith('ffdhe'));
    const fields = [
      ...named.map((group) => ({ group, bits: Number(group.slice(5)) })),
      ...(dhe === undefined ? [] : [dhe]),
    ];
    const reason = facts.untested['dhe'] ?? facts.untested['groups'];
    if (reason !== undefined) return untested(reason);
    if (fields.length === 0) return notApplicable('no finite field is used');
    const small = fields
      .filter(({ bits }) => bits < (rule.minBits ?? 0))
      .map(({ group, bits }) => `${group} (${bits} bits)`);
    if (small.length > 0) return missed(rule, small.join(', '));
    return judgeList(
      fields.map(({ group }) => group),
      rule,
    );
  },

  /** Better suites come before the rest: only the server's own order gives that for sure. */
  order: (facts, rule) => {
    const version = rule.subject as ProtocolName;
    const suites = suitesOf(facts, version);
    if (isFinding(suites)) return suites;
    const [better, rest] = [
      suites.filter((name) => fits(name, rule.better)),
      suites.filter((name) => !fits(name, rule.better)),
    ];
    if (better.length === 0 || rest.length === 0) return notApplicable('all suites are of one class');
    const order = facts.serverOrder[version];
    if (order === undefined) return untested(facts.untested[`serverOrder.${version}`] ?? 'the order is not known');
    return order === 'server' ? pass('order: server') : missed(rule, `order: ${order}`);
  },

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

  lifetime: (facts, rule) =>
    onChains(facts, (_, leaf) => {
      const days = Math.round(daysOf(leaf));
      return days <= (rule.maxDays ?? 0) ? pass(`${days} days`) : missed(rule, `${days} days`);
    }),

  /** Authorities may issue for less and less time; private ones for as long as they like. */
  'public-lifetime': (facts, rule) =>
    onChains(facts, ({ trust }, leaf) => {
      if (trust !== 'trusted') return notApplicable('not publicly trusted');
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

  chain: (facts, rule, { now }) => {
    const subject = chainSubjects[rule.subject ?? ''];
    if (subject === undefined) throw new RangeError(`rule ${rule.id}: there is no subject '${rule.subject ?? ''}'`);
    // What is shown for a name that is not the host's own says nothing of the host.
    const usual = {
      ...facts,
      chain: facts.chain.filter(({ seenWith }) => seenWith.some((label) => !label.includes(' '))),
    };
    if (rule.subject === 'matchesHost' && usual.chain.some(({ matchesHost }) => matchesHost === undefined)) {
      return notApplicable('an address was asked for, not a name');
    }
    return onChains(usual, (chain, leaf) => {
      const [good, evidence] = subject(chain, leaf, now);
      return good ? pass(evidence) : missed(rule, evidence);
    });
  },

  /** The name that was demanded on the command line or by the connector. */
  demanded: (facts, rule) =>
    onChains(facts, ({ demanded }) => {
      if (demanded === undefined) return notApplicable('no name was demanded');
      return demanded === 'met' ? pass('the demanded name') : missed(rule, demanded);
    }),

  'ticket-lifetime': (facts, rule) => {
    const { ticketLifetime, sessionTickets } = facts.features;
    if (ticketLifetime === undefined) {
      return sessionTickets === 'not-offered' ? notApplicable('no tickets are given') : untested('no ticket was seen');
    }
    return ticketLifetime <= (rule.maxSeconds ?? 0) ? pass(`${ticketLifetime} s`) : missed(rule, `${ticketLifetime} s`);
  },

  mail: (facts, rule) => {
    const value = facts.mail?.[rule.subject ?? ''];
    if (typeof value !== 'string') return notApplicable('no mail protocol is spoken before TLS');
    const reason = untestedReason(value);
    if (reason !== undefined)
      return reason === 'TLS begins with the first octet' ? notApplicable(reason) : untested(reason);
    return value === rule.expect ? pass(value) : missed(rule, value);
  },

  /** The offer is kept: some version came about. */
  handshake: (facts, rule) => {
    const answers = Object.values(facts.protocols);
    if (answers.includes('offered')) return pass('a handshake came about');
    const reason = answers.map((answer) => untestedReason(answer)).find((text) => text !== undefined);
    if (facts.mail !== undefined && facts.mail.starttls !== 'offered')
      return untested(reason ?? 'STARTTLS is not offered');
    return reason === undefined ? missed(rule, 'every hello was refused') : untested(reason);
  },

  /** What EHLO gains and loses inside TLS. */
  'ehlo-difference': ({ mail }, rule) => {
    if (mail === undefined || mail.starttls === 'not-tested(TLS begins with the first octet)')
      return notApplicable('no mail protocol is spoken before TLS');
    const { ehloBefore: before, ehloAfter: after } = mail;
    if (mail.starttls !== 'offered') return untested(untestedReason(mail.starttls) ?? 'STARTTLS is not offered');
    if (after.length === 0) return untested(untestedReason(String(mail['requireTls'])) ?? 'no EHLO inside TLS');
    const gained = after.filter((line) => !before.includes(line)).map((line) => `+${line}`);
    const lost = before.filter((line) => !after.includes(line)).map((line) => `-${line}`);
    const evidence = `inside TLS: ${[...gained, ...lost].join(', ') || 'the same'}`;
    return after.some((line) => line.split(' ')[0] === 'STARTTLS') ? missed(rule, evidence) : pass(evidence);
  },

  requiretls: (facts, rule) => {
    const { requireTls, requireTlsInClear } = (facts.mail ?? {}) as Record<string, unknown>;
    if (requireTlsInClear === 'yes') return { verdict: 'fail', evidence: 'REQUIRETLS is offered in the clear' };
    if (typeof requireTls !== 'string') return notApplicable('no mail protocol');
    const reason = untestedReason(requireTls);
    if (reason !== undefined) return untested(reason);
    return requireTls === 'yes' ? pass('offered inside TLS') : missed(rule, 'not offered');
  },

  /** A fact of DNS or of a published policy, found beside the endpoint. */
  domain: (facts, rule) => {
    const domain = facts.mail?.['domain'] as Readonly<Record<string, { answer: string; evidence: string }>> | undefined;
    const found = domain?.[rule.subject ?? ''];
    if (domain === undefined) return notApplicable('no domain was asked for');
    if (found === undefined) throw new RangeError(`rule ${rule.id}: there is no subject '${rule.subject ?? ''}'`);
    const reason = untestedReason(found.answer);
    if (reason !== undefined) return untested(reason);
    if (found.answer === 'not-applicable') return notApplicable(found.evidence);
    return found.answer === 'yes' ? pass(found.evidence) : missed(rule, found.evidence);
  },

  parity: (facts, rule) => {
    const parity = facts.mail?.['parity'];
    if (typeof parity !== 'string') return notApplicable('one endpoint only');
    return parity === 'same' ? pass('all the same') : missed(rule, parity);
  },
};

function isFinding(value: readonly string[] | Finding): value is Finding {
  return !Array.isArray(value);
}
