/** What a rule comes to, and what it is judged by. */

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

export interface JudgeContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Port of the endpoint, by which a few rules differ. */
  readonly port: number;
}
