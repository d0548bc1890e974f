/** What a rule comes to, and what it is judged by. */
import { type Facts, notTested } from './facts.ts';
import type { Miss, Rule } from './profile.ts';

export type VerdictName = 'pass' | 'notice' | 'warn' | 'fail' | 'info' | 'not-applicable' | `not-tested(${string})`;

export interface Verdict {
  readonly verdict: VerdictName;
  /** What was seen. */
  readonly evidence: string;
  readonly source: string;
}

/** What a check says: how it came out, and by what. */
export interface Finding {
  readonly verdict: VerdictName;
  readonly evidence: string;
}

export const pass = (evidence: string): Finding => ({ verdict: 'pass', evidence });
export const missed = (rule: { readonly miss: Miss }, evidence: string): Finding => ({ verdict: rule.miss, evidence });
export const untested = (reason: string): Finding => ({ verdict: notTested(reason), evidence: '' });
export const notApplied = (evidence: string): Finding => ({ verdict: 'not-applicable', evidence });

/** A check that rules name: a pure function of facts and rule; what was not seen is never a pass. */
export type Check = (facts: Facts, rule: Rule, context: JudgeContext) => Finding;

export interface JudgeContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Port of the endpoint, by which a few rules differ. */
  readonly port: number;
}
