/** One endpoint's report: the published JSON. Every other form is made from it. */

import type { Facts } from '../facts/facts.ts';
import type { Miss } from '../facts/profile.ts';
import type { Verdict } from '../facts/verdict.ts';
import type { Endpoint } from '../probe/endpoint.ts';

export const reportSchema = 'edge.tls-report/1';

export interface Report {
  readonly schema: typeof reportSchema;
  /** `connector`: the receive connector of Edge that it is. */
  readonly target: Endpoint & { readonly asked: string; readonly connector?: string };
  /** ISO 8601. */
  readonly at: string;
  readonly facts: Facts;
  /** Profile → rule → verdict. */
  readonly verdicts: Readonly<Record<string, Readonly<Record<string, Verdict>>>>;
  readonly connections: number;
  readonly seconds: number;
}

/** One verdict with its place, as reports list them. */
export interface Row {
  readonly profile: string;
  readonly rule: string;
  readonly verdict: Verdict;
}

export function rowsOf({ verdicts }: Pick<Report, 'verdicts'>): Row[] {
  return Object.entries(verdicts).flatMap(([profile, rules]) =>
    Object.entries(rules).map(([rule, verdict]) => ({ profile, rule, verdict })),
  );
}

const ranks: Readonly<Record<string, number>> = { pass: 0, 'not-applicable': 0, info: 1, notice: 2, warn: 3, fail: 4 };

/** How bad a verdict is, 0 to 4; -1 for what was not tested. */
export function rankOf(verdict: string): number {
  return verdict.startsWith('not-tested') ? -1 : (ranks[verdict] ?? 0);
}

/** Exit status: 1 for a miss at or above the level, else 2 if something could not be tested, else 0. */
export function statusOf(reports: readonly Report[], failOn: Miss): 0 | 1 | 2 {
  const rows = reports.flatMap(rowsOf);
  if (rows.some(({ verdict }) => rankOf(verdict.verdict) >= rankOf(failOn))) return 1;
  const blind = reports.length === 0 || rows.some(({ verdict }) => verdict.verdict.startsWith('not-tested'));
  return blind ? 2 : 0;
}
