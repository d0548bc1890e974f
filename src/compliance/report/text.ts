/** The report for people: a short verdict first, then each miss with what was seen and the line that mends it. */
import { printable } from '../../base/index.ts';
import { endpointText } from '../endpoint.ts';
import type { Profile } from '../profile.ts';
import { fixFor } from './fixes.ts';
import { type Report, type Row, rankOf, rowsOf } from './report.ts';

export interface TextOptions {
  readonly profiles: readonly Profile[];
  /** Colours for a terminal. */
  readonly colour: boolean;
  /** Rules that were met, too. */
  readonly all?: boolean;
}

const colours: Readonly<Record<string, string>> = {
  fail: '31;1',
  warn: '33',
  notice: '36',
  info: '2',
  pass: '32',
  'not-tested': '35',
};

/** Text of one report, ending in a line break. What the endpoint chose is made fit for a terminal. */
export function textReport(report: Report, options: TextOptions): string {
  const paint = (text: string, kind: string): string =>
    options.colour ? `\x1b[${colours[kind] ?? '0'}m${text}\x1b[0m` : text;
  const rows = rowsOf(report);
  const lines = [printable(endpointText(report.target)), `  ${summaryOf(report)}`];
  for (const profile of options.profiles) {
    const own = rows.filter((row) => row.profile === profile.id);
    lines.push(`  ${profile.title}: ${countsOf(own, paint)}`);
    for (const row of own.toSorted((a, b) => order(b) - order(a))) {
      if (rankOf(row.verdict.verdict) === 0 && options.all !== true) continue;
      lines.push(...rowLines(row, profile, paint));
    }
  }
  lines.push(`  ${report.connections} connections, ${report.seconds} s`);
  return `${lines.join('\n')}\n`;
}

/** What was not tested stands between notices and misses. */
function order({ verdict }: Row): number {
  const rank = rankOf(verdict.verdict);
  return rank < 0 ? 1.5 : rank;
}

function rowLines(row: Row, profile: Profile, paint: (text: string, kind: string) => string): string[] {
  const rule = profile.rules.find(({ id }) => id === row.rule);
  const { verdict, evidence } = row.verdict;
  const kind = verdict.startsWith('not-tested') ? 'not-tested' : verdict;
  const reason = kind === 'not-tested' ? verdict.slice('not-tested('.length, -1) : evidence;
  const lines = [
    `    ${paint(kind.padEnd(10), kind)} ${row.rule}  ${rule?.title ?? ''}`,
    `               ${printable(reason)}`,
  ];
  const fix = rankOf(verdict) >= 2 && rule !== undefined ? fixFor(rule) : undefined;
  if (fix === undefined) return lines;
  if (fix.edge === fix.exchange && fix.edge === fix.postfix) return [...lines, `               mend: ${fix.edge}`];
  return [
    ...lines,
    `               Edge:     ${fix.edge}`,
    `               Exchange: ${fix.exchange}`,
    `               Postfix:  ${fix.postfix}`,
  ];
}

function countsOf(rows: readonly Row[], paint: (text: string, kind: string) => string): string {
  const kinds = ['fail', 'warn', 'notice', 'not-tested', 'info', 'pass'];
  const count = (kind: string): number => rows.filter(({ verdict }) => verdict.verdict.startsWith(kind)).length;
  return kinds
    .filter((kind) => count(kind) > 0)
    .map((kind) => paint(`${count(kind)} ${kind}`, kind))
    .join(', ');
}

const versionTexts: Readonly<Record<string, string>> = {
  ssl2: 'SSL 2.0',
  ssl3: 'SSL 3.0',
  tls1_0: 'TLS 1.0',
  tls1_1: 'TLS 1.1',
  tls1_2: 'TLS 1.2',
  tls1_3: 'TLS 1.3',
};

/** 'TLS 1.2, TLS 1.3; 23 suites; rsa 2048 of mail.example until 2027-01-01'. */
function summaryOf({ facts }: Report): string {
  const offered = Object.entries(facts.protocols).flatMap(([name, answer]) =>
    answer === 'offered' ? [versionTexts[name] ?? name] : [],
  );
  if (offered.length === 0)
    return printable(
      `no TLS was seen: ${Object.values(facts.protocols)[0]?.replace(/^not-tested\((.*)\)$/s, '$1') ?? ''}`,
    );
  const suites = Object.values(facts.cipherSuites).flat().length;
  const leaf = facts.certificates[facts.chain[0]?.certificates[0] ?? -1];
  const certificate =
    leaf === undefined
      ? 'no certificate'
      : `${leaf.key.type} ${leaf.key.curve ?? leaf.key.bits} of ${leaf.subject} until ${leaf.notAfter.slice(0, 10)}`;
  return printable(`${offered.toSorted().join(', ')}; ${suites} cipher suites; ${certificate}`);
}
