/** Only what changed since an earlier report. */
import { endpointText } from '../probe/endpoint.ts';
import { type Report, rowsOf } from './report.ts';

/** Reports of an earlier run, one JSON object a line. Throws RangeError for anything else, with the name of the file. */
export function readReports(text: string, name: string): Report[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      try {
        const value = JSON.parse(line) as Report;
        if (typeof value.verdicts !== 'object' || typeof value.target !== 'object') throw new SyntaxError('no report');
        return value;
      } catch (cause) {
        throw new RangeError(`line ${i + 1} of ${name} is no report of 'edge tls test --json'`, { cause });
      }
    });
}

/** The report with the verdicts alone that differ from the baseline; new endpoints are whole. */
export function changedSince(report: Report, baseline: readonly Report[]): Report {
  const before = baseline.find(
    ({ target }) => endpointText(target) === endpointText(report.target) && target.protocol === report.target.protocol,
  );
  if (before === undefined) return report;
  const known = new Map(
    rowsOf(before).map(({ profile, rule, verdict }) => [
      `${profile} ${rule}`,
      `${verdict.verdict} ${steady(verdict.evidence)}`,
    ]),
  );
  const verdicts = Object.fromEntries(
    Object.entries(report.verdicts).map(([profile, rules]) => [
      profile,
      Object.fromEntries(
        Object.entries(rules).filter(
          ([rule, { verdict, evidence }]) => known.get(`${profile} ${rule}`) !== `${verdict} ${steady(evidence)}`,
        ),
      ),
    ]),
  );
  return { ...report, verdicts };
}

/** The days that are left change every day; that alone is no news. */
function steady(evidence: string): string {
  return evidence.replace(/^-?\d+ days are left/, 'days are left');
}
