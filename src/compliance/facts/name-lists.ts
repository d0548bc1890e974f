/** Names against the lists of a rule. */
import { wildcardTest } from '../../base/index.ts';
import type { Rule } from './profile.ts';
import { type Finding, missed, pass } from './verdict.ts';

/** A name against names with `*`, without regard to case. */
export function fits(name: string, patterns: readonly string[] = []): boolean {
  return patterns.some((pattern) => wildcardTest(pattern)(name));
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
export function judgeList(names: readonly string[], rule: Rule): Finding {
  const looked = names.filter((name) => !fits(name, rule.ignore));
  const ofClass = (wanted: string): string => looked.filter((name) => classOf(name, rule) === wanted).join(', ');
  const [bad, tolerated] = [ofClass('missed'), ofClass('tolerated')];
  if (bad !== '') return missed(rule, bad);
  if (tolerated !== '') return { verdict: rule.missTolerated ?? 'notice', evidence: tolerated };
  return pass(looked.length === 0 ? 'none is there' : looked.join(', '));
}
