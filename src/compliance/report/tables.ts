/** Reports for programs other than JSON: CSV, JUnit and SARIF 2.1.0. */
import { printable, spreadsheetCell } from '../../base/index.ts';
import type { Profile } from '../facts/profile.ts';
import { endpointText } from '../probe/endpoint.ts';
import { type Report, type Row, rankOf, rowsOf } from './report.ts';

export const csvHead = 'target,host,address,port,profile,rule,verdict,evidence,source\r\n';

/** Lines of one report, RFC 4180. What the endpoint chose begins no formula in a spreadsheet. */
export function csvLines(report: Report): string {
  const { asked, host, address, port } = report.target;
  return rowsOf(report)
    .map(({ profile, rule, verdict }) => [
      asked,
      host,
      address,
      String(port),
      profile,
      rule,
      verdict.verdict,
      verdict.evidence,
      verdict.source,
    ])
    .map((fields) => `${fields.map(csvCell).join(',')}\r\n`)
    .join('');
}

/** RFC 4180 §2. */
const csvCell = (text: string): string => `"${spreadsheetCell(printable(text)).replaceAll('"', '""')}"`;

const escapeXml = (text: string): string =>
  printable(text).replaceAll(/[<>&"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

/** One suite for each endpoint and one case for each rule: failed, skipped with the reason, or passed. */
export function junitSuite(report: Report, failRank: number): string {
  const rows = rowsOf(report);
  const failures = rows.filter(({ verdict }) => rankOf(verdict.verdict) >= failRank).length;
  const skipped = rows.filter(isSkipped).length;
  const name = escapeXml(endpointText(report.target));
  const cases = rows.map((row) => junitCase(row, failRank)).join('');
  return `  <testsuite name="${name}" tests="${rows.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${report.seconds}" timestamp="${report.at.slice(0, 19)}">\n${cases}  </testsuite>\n`;
}

const isSkipped = ({ verdict }: Row): boolean => verdict.verdict.startsWith('not-');

function junitCase(row: Row, failRank: number): string {
  const { verdict, evidence } = row.verdict;
  const open = `    <testcase classname="${escapeXml(row.profile)}" name="${escapeXml(row.rule)}"`;
  if (isSkipped(row)) return `${open}><skipped message="${escapeXml(`${verdict} ${evidence}`.trim())}"/></testcase>\n`;
  if (rankOf(verdict) < failRank) return `${open}/>\n`;
  return `${open}><failure type="${verdict}" message="${escapeXml(evidence)}"/></testcase>\n`;
}

export const junitHead = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="edge tls test">\n';
export const junitTail = '</testsuites>\n';

const sarifLevels: Readonly<Record<string, string>> = { fail: 'error', warn: 'warning', notice: 'note', info: 'none' };

/** The whole SARIF log: rules of the profiles, one result for each miss. */
export function sarifLog(reports: readonly Report[], profiles: readonly Profile[], version: string): string {
  const rules = profiles.flatMap((profile) =>
    profile.rules.map(({ id, title, source, miss }) => ({
      id,
      shortDescription: { text: title },
      help: { text: source },
      defaultConfiguration: { level: sarifLevels[miss] },
    })),
  );
  const results = reports.flatMap((report) =>
    rowsOf(report)
      .filter(({ verdict }) => rankOf(verdict.verdict) > 0)
      .map(({ rule, profile, verdict }) => ({
        ruleId: rule,
        level: sarifLevels[verdict.verdict],
        message: { text: `${profile}: ${printable(verdict.evidence) || verdict.verdict}` },
        locations: [{ logicalLocations: [{ name: endpointText(report.target), kind: 'resource' }] }],
      })),
  );
  return `${JSON.stringify(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [{ tool: { driver: { name: 'edge tls test', version, rules } }, results }],
    },
    undefined,
    1,
  )}\n`;
}
