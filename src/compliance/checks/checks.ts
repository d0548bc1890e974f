/** The checks that rules name. Each is a pure function of facts and rule; what was not seen is never a pass. */
import { suiteTraits } from '../../tls/wire/index.ts';
import {
  type Facts,
  type FeatureName,
  featureNames,
  notApplicableReason,
  type ProtocolName,
  protocolNames,
  protocolReason,
  suitesReason,
  untestedReason,
} from '../facts/facts.ts';
import { fits, judgeList } from '../facts/name-lists.ts';
import { type Check, type Finding, missed, notApplied, pass, untested } from '../facts/verdict.ts';
import { chainChecks, chainSubjectNames } from './chain-checks.ts';
import { inventoryChecks, inventorySubjectNames } from './inventory-checks.ts';
import { domainSubjectNames, mailChecks, mailSubjectNames } from './mail-checks.ts';

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
  if (answer === 'not-offered') return notApplied(`${version} is not taken`);
  const reason = suitesReason(facts, version);
  return reason === undefined ? (facts.cipherSuites[version] ?? []) : untested(reason);
}

export const checks: Readonly<Record<string, Check>> = {
  ...chainChecks,
  ...mailChecks,
  ...inventoryChecks,

  /** A version is taken, or not. */
  protocol: (facts, rule) => {
    const version = rule.subject as ProtocolName;
    const answer = facts.protocols[version];
    const reason = protocolReason(facts, version);
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
    if (pointless !== undefined) return notApplied(pointless);
    const reason = untestedReason(answer);
    if (reason !== undefined) return untested(reason);
    return answer === rule.expect ? pass(answer) : missed(rule, answer);
  },

  /** Whether the padding of CBC can betray the clear text: seen as far as suites and encrypt-then-MAC tell. */
  'cbc-padding': (facts, rule) => {
    const cbc: Record<string, readonly string[]> = {};
    for (const version of ['ssl3', 'tls1_0', 'tls1_1', 'tls1_2'] as const) {
      const suites = suitesOf(facts, version);
      if (!isFinding(suites)) cbc[version] = suites.filter((name) => suiteTraits(name).cbc);
      else if (suites.verdict !== 'not-applicable') return suites;
    }
    // SSL 3.0 leaves the padding out of what the MAC covers (POODLE).
    if ((cbc['ssl3'] ?? []).length > 0) return missed(rule, `SSL 3.0 with ${(cbc['ssl3'] ?? []).join(', ')}`);
    if (Object.values(cbc).flat().length === 0) return pass('no CBC suite is taken');
    if (facts.features.encryptThenMac === 'offered')
      return {
        verdict: 'info',
        evidence:
          'CBC suites with encrypt-then-MAC: nothing to learn from clients that use it; for others it rests on the library, which is not attacked here',
      };
    return untested(
      'CBC suites are taken without encrypt-then-MAC, and only an attack would show whether padding tells',
    );
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
    if (fields.length === 0) return notApplied('no finite field is used');
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
    const taken = suitesOf(facts, version);
    if (isFinding(taken)) return taken;
    const suites = taken.filter((name) => !fits(name, rule.ignore));
    const isBetter = (name: string): boolean => fits(name, rule.better);
    const worse = suites.findIndex((name) => !isBetter(name));
    const late = suites.findLastIndex(isBetter);
    if (worse < 0 || late < 0) return notApplied('all suites are of one class');
    const order = facts.serverOrder[version];
    const unknown = facts.untested[`serverOrder.${version}`];
    if (order === undefined) return untested(unknown ?? 'the order is not known');
    if (order !== 'server') return missed(rule, `order: ${order}`);
    if (unknown !== undefined) return untested(unknown);
    return worse > late ? pass('order: server') : missed(rule, `${suites[worse] ?? ''} before ${suites[late] ?? ''}`);
  },

  'ticket-lifetime': (facts, rule) => {
    const { ticketLifetime, sessionTickets } = facts.features;
    if (ticketLifetime === undefined) {
      return sessionTickets === 'not-offered' ? notApplied('no tickets are given') : untested('no ticket was seen');
    }
    return ticketLifetime <= (rule.maxSeconds ?? 0) ? pass(`${ticketLifetime} s`) : missed(rule, `${ticketLifetime} s`);
  },
};

function isFinding(value: readonly string[] | Finding): value is Finding {
  return !Array.isArray(value);
}

const versionNames: readonly string[] = protocolNames.filter((name) => name !== 'ssl2');
const lists = [
  'protocols',
  'groups',
  'groups.curves',
  'signatureAlgorithms',
  ...versionNames.map((name) => `cipherSuites.${name}`),
];

/** What a check may be about; empty where it is about one thing alone. Undefined: there is no such check. */
export function subjectsOf(check: string): readonly string[] | undefined {
  if (checks[check] === undefined) return undefined;
  const subjects: Readonly<Record<string, readonly string[]>> = {
    protocol: protocolNames,
    list: lists,
    any: lists,
    all: lists,
    feature: featureNames,
    order: versionNames,
    chain: chainSubjectNames,
    mail: mailSubjectNames,
    domain: domainSubjectNames,
    inventory: inventorySubjectNames,
  };
  return subjects[check] ?? [];
}
