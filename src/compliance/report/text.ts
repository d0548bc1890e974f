/** The report for people: a short verdict first, then each miss with what was seen and the line that mends it. */
import { printable } from '../../base/index.ts';
import { protocolReason } from '../facts/facts.ts';
import type { Profile } from '../facts/profile.ts';
import { versionTexts } from '../facts/version-texts.ts';
import { endpointText } from '../probe/endpoint.ts';
import { filledFix } from './filled-fix.ts';
import { fixLines } from './fix.ts';
import { type Report, type Row, rankOf, rowsOf } from './report.ts';
import { wrapped } from './wrapped.ts';

export interface TextOptions {
  readonly profiles: readonly Profile[];
  /** Colours for a terminal. */
  readonly colour: boolean;
  /** Rules that were met, too, and lists without end. */
  readonly all?: boolean;
  /** What an earlier report had as well is left out. */
  readonly changes?: boolean;
  /** Columns; default 80. */
  readonly width?: number;
}

const colours: Readonly<Record<string, string>> = {
  fail: '31;1',
  warn: '33',
  notice: '36',
  info: '2',
  pass: '32',
  'not-tested': '35',
};

/** Where the text of a rule begins. */
const indent = 15;
/** Names that a list shows before it says how many more there are. */
const mostNames = 6;

/** Text of one report, ending in a line break. What the endpoint chose is made fit for a terminal. */
export function textReport(report: Report, options: TextOptions): string {
  return `${new TextReport(report, options).lines().join('\n')}\n`;
}

class TextReport {
  readonly #report: Report;
  readonly #options: TextOptions;
  readonly #width: number;
  /** Fixes that stand there already, by their text. */
  readonly #fixes = new Map<string, string>();

  constructor(report: Report, options: TextOptions) {
    this.#report = report;
    this.#options = options;
    this.#width = Math.max(options.width ?? 80, 40);
  }

  lines(): string[] {
    const { target, connections, seconds } = this.#report;
    const rows = rowsOf(this.#report);
    return [
      printable(endpointText(target)),
      ...this.#indented(summaryOf(this.#report), 2),
      ...this.#options.profiles.flatMap((profile) =>
        this.#section(
          profile,
          rows.filter((row) => row.profile === profile.id),
        ),
      ),
      `  ${connections} connection${connections === 1 ? '' : 's'}, ${seconds} s`,
    ];
  }

  #section(profile: Profile, rows: readonly Row[]): string[] {
    const shown = rows
      .filter(({ verdict }) => this.#options.all === true || rankOf(verdict.verdict) !== 0)
      .toSorted((a, b) => order(b) - order(a));
    const untested = Map.groupBy(shown.filter(isUntested), ({ verdict }) => reasonOf(verdict.verdict));
    const lines = [`  ${profile.title}`, `    ${this.#counts(rows)}`];
    for (const row of shown) {
      const together = isUntested(row) ? (untested.get(reasonOf(row.verdict.verdict)) ?? []) : [];
      if (together.length < 2) lines.push(...this.#row(row, profile));
      else if (together[0] === row) lines.push(...this.#together(together));
    }
    return lines;
  }

  /** Several rules that were not tested for one reason. */
  #together(rows: readonly Row[]): string[] {
    const [first] = rows;
    const reason = first === undefined ? '' : reasonOf(first.verdict.verdict);
    return [
      ...this.#headed('not-tested', `${rows.length} rules: ${reason}`),
      ...this.#indented(rows.map(({ rule }) => rule).join(', '), indent),
    ];
  }

  #row(row: Row, profile: Profile): string[] {
    const rule = profile.rules.find(({ id }) => id === row.rule);
    const { verdict, evidence } = row.verdict;
    const kind = isUntested(row) ? 'not-tested' : verdict;
    const lines = [
      ...this.#headed(kind, `${row.rule}  ${rule?.title ?? ''}`),
      ...this.#indented(
        isUntested(row) ? reasonOf(verdict) : rule?.check === 'inventory' ? evidence : this.#shortened(evidence),
        indent,
      ),
    ];
    const fix =
      rankOf(verdict) >= 2 && rule !== undefined
        ? filledFix({ rule, profile: profile.id, evidence }, this.#report)
        : undefined;
    if (fix === undefined) return lines;
    const key = JSON.stringify(fix);
    const before = this.#fixes.get(key);
    if (before !== undefined) return [...lines, `${' '.repeat(indent)}mend: as for ${before}`];
    this.#fixes.set(key, row.rule);
    return [
      ...lines,
      // Whole, so that they can be copied.
      ...fixLines(fix).map(([server, line]) => `${' '.repeat(indent)}${`${server}:`.padEnd(10)}${printable(line)}`),
    ];
  }

  /** The verdict in its colour, then text that hangs beside it. */
  #headed(kind: string, text: string): string[] {
    const [first = '', ...more] = wrapped(printable(text), this.#width - indent);
    return [
      `    ${this.#paint(kind.padEnd(10), kind)} ${first}`,
      ...more.map((line) => `${' '.repeat(indent)}${line}`),
    ];
  }

  #indented(text: string, by: number): string[] {
    return wrapped(printable(text), this.#width - by).map((line) => `${' '.repeat(by)}${line}`);
  }

  #shortened(evidence: string): string {
    const names = evidence.split(', ');
    if (this.#options.all === true || names.length <= mostNames + 1) return evidence;
    return `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more`;
  }

  #counts(rows: readonly Row[]): string {
    const kinds = ['fail', 'warn', 'notice', 'not-tested', 'info', 'pass'];
    const count = (kind: string): number => rows.filter(({ verdict }) => verdict.verdict.startsWith(kind)).length;
    const counted = kinds.filter((kind) => count(kind) > 0).map((kind) => this.#paint(`${count(kind)} ${kind}`, kind));
    if (counted.length > 0) return counted.join(', ');
    return this.#options.changes === true ? 'nothing changed' : 'nothing applies';
  }

  #paint(text: string, kind: string): string {
    return this.#options.colour ? `\x1b[${colours[kind] ?? '0'}m${text}\x1b[0m` : text;
  }
}

const isUntested = ({ verdict }: Row): boolean => verdict.verdict.startsWith('not-tested');
const reasonOf = (verdict: string): string => verdict.slice('not-tested('.length, -1);

/** What was not tested stands between notices and misses. */
function order({ verdict }: Row): number {
  const rank = rankOf(verdict.verdict);
  return rank < 0 ? 1.5 : rank;
}

/** 'TLS 1.2, TLS 1.3; 23 suites; rsa 2048 of mail.example until 2027-01-01'. */
function summaryOf({ facts }: Report): string {
  const offered = Object.entries(facts.protocols).flatMap(([name, answer]) =>
    answer === 'offered' ? [versionTexts[name] ?? name] : [],
  );
  if (offered.length === 0) return `no TLS was seen: ${protocolReason(facts, 'ssl2') ?? facts.protocols.ssl2}`;
  const suites = Object.values(facts.cipherSuites).flat().length;
  const leaf = facts.certificates[facts.chain[0]?.certificates[0] ?? -1];
  const certificate =
    leaf === undefined
      ? 'no certificate'
      : `${leaf.key.type} ${leaf.key.curve ?? leaf.key.bits} of ${leaf.subject} until ${leaf.notAfter.slice(0, 10)}`;
  const counted = suites === 0 ? '' : `${suites} cipher suites; `;
  return `${offered.toSorted().join(', ')}; ${counted}${certificate}`;
}
