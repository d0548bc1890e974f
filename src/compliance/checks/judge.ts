/** Verdicts: a pure function of facts and a profile. */

import { suiteTraits } from '../../tls/wire/index.ts';
import { type Facts, type ProtocolName, protocolReason, suitesReason } from '../facts/facts.ts';
import type { Applies, Profile, Rule } from '../facts/profile.ts';
import type { JudgeContext, Verdict } from '../facts/verdict.ts';
import { mxPort } from '../probe/endpoint.ts';
import { checks, subjectsOf } from './checks.ts';

/** Rule → verdict for one endpoint. Throws RangeError for a check that does not exist. */
export function judge(facts: Facts, profile: Profile, context: JudgeContext): Record<string, Verdict> {
  return Object.fromEntries(profile.rules.map((rule) => [rule.id, judgeRule(facts, rule, context)]));
}

/** Throws RangeError for a rule whose check or subject does not exist: better before a long test than after it. */
export function proveProfile({ id, rules }: Profile): void {
  for (const rule of rules) {
    const at = `the profile ${id}, rule ${rule.id}:`;
    const subjects = subjectsOf(rule.check);
    if (subjects === undefined) throw new RangeError(`${at} there is no check '${rule.check}'`);
    if (subjects.length > 0 && !subjects.includes(rule.subject ?? ''))
      throw new RangeError(`${at} the check '${rule.check}' needs a subject of ${subjects.join(', ')}`);
  }
}

function judgeRule(facts: Facts, given: Rule, context: JudgeContext): Verdict {
  const check = checks[given.check];
  if (check === undefined) throw new RangeError(`rule ${given.id}: there is no check '${given.check}'`);
  const { source, missOpportunistic } = given;
  const rule =
    missOpportunistic !== undefined && context.port === mxPort ? { ...given, miss: missOpportunistic } : given;
  const applies = rule.applies === undefined ? true : applicable(facts, rule.applies);
  if (applies === false) return { verdict: 'not-applicable', evidence: notApplicable[rule.applies ?? 'cbc'], source };
  if (applies !== true) return { verdict: `not-tested(${applies})`, evidence: '', source };
  return { ...check(facts, rule, context), source };
}

const notApplicable: Readonly<Record<Applies, string>> = {
  tls1_3: 'TLS 1.3 is not taken',
  'tls1_2-': 'nothing older than TLS 1.3 is taken',
  cbc: 'no CBC suite is taken',
  fallback: 'there is no older version to fall back to, or TLS 1.3 is taken',
};

/** Whether a rule is for this endpoint; a reason where that could not be tested. */
function applicable(facts: Facts, applies: Applies): boolean | string {
  if (applies === 'cbc') {
    const suites = Object.values(facts.cipherSuites).flat();
    if (suites.some((name) => suiteTraits(name).cbc)) return true;
    return before13.map((name) => suitesReason(facts, name)).find((text) => text !== undefined) ?? false;
  }
  if (applies === 'fallback') {
    if (facts.protocols.tls1_3 === 'offered') return false;
    const older = anyOf(facts, ['tls1_1', 'tls1_0', 'ssl3']);
    return older === true ? (protocolReason(facts, 'tls1_3') ?? true) : older;
  }
  return anyOf(facts, applies === 'tls1_3' ? ['tls1_3'] : before13);
}

const before13 = ['tls1_2', 'tls1_1', 'tls1_0', 'ssl3'] as const;

/** Whether one of the versions is taken; a reason where that is not known. */
function anyOf(facts: Facts, names: readonly ProtocolName[]): boolean | string {
  if (names.some((name) => facts.protocols[name] === 'offered')) return true;
  return names.map((name) => protocolReason(facts, name)).find((text) => text !== undefined) ?? false;
}
