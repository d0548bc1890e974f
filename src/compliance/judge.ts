/** Verdicts: a pure function of facts and a profile. */

import { suiteTraits } from '../tls/wire/index.ts';
import { checks } from './checks.ts';
import type { Facts } from './facts.ts';
import { untestedReason } from './facts.ts';
import type { Applies, Profile, Rule } from './profile.ts';
import type { JudgeContext, Verdict } from './verdict.ts';

/** Rule → verdict for one endpoint. Throws RangeError for a check that does not exist. */
export function judge(facts: Facts, profile: Profile, context: JudgeContext): Record<string, Verdict> {
  return Object.fromEntries(profile.rules.map((rule) => [rule.id, judgeRule(facts, rule, context)]));
}

function judgeRule(facts: Facts, rule: Rule, context: JudgeContext): Verdict {
  const check = checks[rule.check];
  if (check === undefined) throw new RangeError(`rule ${rule.id}: there is no check '${rule.check}'`);
  const { source } = rule;
  const applies = rule.applies === undefined ? true : applicable(facts, rule.applies);
  if (applies === false) return { verdict: 'not-applicable', evidence: notApplicable[rule.applies ?? 'cbc'], source };
  if (applies !== true) return { verdict: `not-tested(${applies})`, evidence: '', source };
  return { ...check(facts, rule, context), source };
}

const notApplicable: Readonly<Record<Applies, string>> = {
  tls1_3: 'TLS 1.3 is not taken',
  'tls1_2-': 'nothing older than TLS 1.3 is taken',
  cbc: 'no CBC suite is taken',
};

/** Whether a rule is for this endpoint; a reason where that could not be tested. */
function applicable({ protocols, cipherSuites }: Facts, applies: Applies): boolean | string {
  if (applies === 'cbc') {
    const suites = Object.values(cipherSuites).flat();
    if (suites.some((name) => suiteTraits(name).cbc)) return true;
    return applicable({ protocols, cipherSuites } as Facts, 'tls1_2-') === true && suites.length === 0
      ? 'the cipher suites are not known'
      : false;
  }
  const names = applies === 'tls1_3' ? (['tls1_3'] as const) : (['tls1_2', 'tls1_1', 'tls1_0', 'ssl3'] as const);
  if (names.some((name) => protocols[name] === 'offered')) return true;
  const reason = names.map((name) => untestedReason(protocols[name])).find((text) => text !== undefined);
  return reason ?? false;
}
