/** One HTML file without any outside reference, readable and printable. */
import { printable } from '../../base/index.ts';
import type { Profile } from '../facts/profile.ts';
import { versionTexts } from '../facts/version-texts.ts';
import { endpointText } from '../probe/endpoint.ts';
import { filledFix } from './filled-fix.ts';
import { fixLines } from './fix.ts';
import { type Report, type Row, rankOf, rowsOf } from './report.ts';

const escape = (text: string): string =>
  printable(text).replaceAll(/[<>&"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

const style = `
:root { color-scheme: light dark; --line: #8884; --dim: #6b7280; }
html { font-size: 15px; } body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 2px solid var(--line); padding-top: 1rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
.rules td:first-child { width: 6.5rem; } .rules td:last-child { width: 13rem; font-size: .85rem; } .rules td { overflow-wrap: anywhere; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; } .dim { color: var(--dim); } .met td { padding-top: .15rem; padding-bottom: .15rem; }
.badge { display: inline-block; min-width: 5.5rem; text-align: center; border-radius: .3rem; padding: 0 .4rem; font-weight: 600; font-size: .85rem; color: #fff; background: #777; }
.pass { background: #1a7f37; } .fail { background: #b91c1c; } .warn { background: #b45309; } .notice { background: #0369a1; } .info, .not-applicable { background: #64748b; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; } dl.fix { margin: .3rem 0 0; gap: 0 .8rem; font-size: .9rem; }
.pointless { font-size: .85rem; margin: .4rem .6rem; }
ul.suites { columns: 22rem; font: .8rem/1.4 ui-monospace, monospace; margin: .2rem 0; padding: 0; list-style: none; } a { color: inherit; }
@media print { :root { color-scheme: light; } html { font-size: 10px; } body { max-width: none; margin: 0; padding: 0; } h2 { break-before: page; } h2:first-of-type { break-before: auto; } h3 { break-after: avoid; } tr { break-inside: avoid; } .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** The whole file. */
export function htmlReport(reports: readonly Report[], profiles: readonly Profile[]): string {
  const overview = reports.map(
    (report, i) =>
      `<tr><td><a href="#endpoint-${i}">${escape(endpointText(report.target))}</a></td>${profiles.map((profile) => `<td>${worstBadge(report, profile.id)}</td>`).join('')}</tr>`,
  );
  const head = `<tr><th>Endpoint</th>${profiles.map(({ title }) => `<th>${escape(title)}</th>`).join('')}</tr>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>TLS compliance of mail endpoints</title><style>${style}</style></head>
<body><h1>TLS compliance of mail endpoints</h1><p class="dim">Tested ${escape(reports[0]?.at ?? '')}</p>
<table>${head}${overview.join('\n')}</table>
${reports.map((report, i) => section(report, profiles, i)).join('\n')}
</body></html>
`;
}

const badge = (verdict: string): string =>
  `<span class="badge ${verdict.split('(')[0] ?? ''}">${verdict.split('(')[0] ?? ''}</span>`;

function worstBadge(report: Report, profile: string): string {
  const rows = rowsOf(report).filter((row) => row.profile === profile);
  const worst = rows.reduce((rank, { verdict }) => Math.max(rank, rankOf(verdict.verdict)), 0);
  const untested = rows.some(({ verdict }) => verdict.verdict.startsWith('not-tested'));
  if (worst <= 1 && untested) return badge('not-tested');
  return badge(['pass', 'pass', 'notice', 'warn', 'fail'][worst] ?? 'pass');
}

function section(report: Report, profiles: readonly Profile[], position: number): string {
  const tables = profiles.map((profile) => {
    const rows = rowsOf(report).filter((row) => row.profile === profile.id);
    const sorted = rows.filter((row) => !isPointless(row)).toSorted((a, b) => order(b) - order(a));
    const table = `<table class="rules">${sorted.map((row) => tableRow(row, profile, report)).join('\n')}</table>`;
    return `<h3>${escape(profile.title)}</h3>${table}${pointless(rows.filter(isPointless))}`;
  });
  const name = escape(endpointText(report.target));
  return `<h2 id="endpoint-${position}">${name}</h2>${factList(report)}${tables.join('\n')}${suiteLists(report)}`;
}

/** What was not tested stands between notices and misses. */
function order({ verdict: { verdict } }: Row): number {
  return verdict.startsWith('not-tested') ? 1.5 : rankOf(verdict);
}

const isPointless = ({ verdict }: Row): boolean => verdict.verdict === 'not-applicable';

/** Rules that do not apply, together by their reason. */
function pointless(rows: readonly Row[]): string {
  const reasons = Map.groupBy(rows, ({ verdict }) => verdict.evidence);
  return [...reasons]
    .map(([reason, group]) => {
      const rules = group.map(({ rule }) => rule).join(', ');
      return `<p class="dim pointless">Does not apply, ${escape(reason)}: ${escape(rules)}</p>`;
    })
    .join('');
}

function tableRow(row: Row, profile: Profile, report: Report): string {
  const rule = profile.rules.find(({ id }) => id === row.rule);
  const { verdict, evidence, source } = row.verdict;
  const fix =
    rankOf(verdict) >= 2 && rule !== undefined ? filledFix({ rule, profile: profile.id, evidence }, report) : undefined;
  const reason = verdict.startsWith('not-tested') ? verdict.slice('not-tested('.length, -1) : evidence;
  const lines = (fix === undefined ? [] : fixLines(fix)).map(
    ([server, line]) => `<dt>${escape(server)}</dt><dd><code>${escape(line)}</code></dd>`,
  );
  const mend = lines.length === 0 ? '' : `<dl class="fix">${lines.join('')}</dl>`;
  const met = rankOf(verdict) === 0;
  const title = escape(rule?.title ?? row.rule);
  const said = /^(yes|no|offered|not-offered)$/.test(reason) && met ? '' : escape(reason);
  const text = met ? ` <span class="dim">${said === '' ? '' : `· ${said}`}</span>` : `<br>${said}`;
  return `<tr${met ? ' class="met"' : ''}><td>${badge(verdict)}</td><td>${met ? title : `<strong>${title}</strong>`} <span class="dim">${escape(row.rule)}</span>${text}${mend}</td><td class="dim">${escape(source)}</td></tr>`;
}

function factList({ facts, connections, seconds }: Report): string {
  const entry = (name: string, value: string): string =>
    value === '' ? '' : `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`;
  const leaves = facts.chain.flatMap(({ certificates, trust }) => {
    const leaf = facts.certificates[certificates[0] ?? -1];
    return leaf === undefined
      ? []
      : [
          `${leaf.subject}, issued by ${leaf.issuer}, ${leaf.key.type} ${leaf.key.curve ?? leaf.key.bits}, until ${leaf.notAfter.slice(0, 10)}: ${trust}`,
        ];
  });
  const answers = Object.entries(facts.protocols);
  const offered = answers.flatMap(([name, answer]) => (answer === 'offered' ? [versionTexts[name] ?? name] : []));
  const seen = answers.some(([, answer]) => !answer.startsWith('not-tested'));
  return `<dl>${[
    entry('Versions', seen ? offered.toSorted().join(', ') || 'none' : ''),
    entry('Groups', facts.groups.join(', ')),
    entry('Signatures', facts.signatureAlgorithms.join(', ')),
    ...leaves.map((text) => entry('Certificate', text)),
    entry('Cost', `${connections} connections, ${seconds} s`),
  ].join('')}</dl>`;
}

function suiteLists({ facts }: Report): string {
  const lists = Object.entries(facts.cipherSuites).flatMap(([name, suites = []]) =>
    suites.length === 0
      ? []
      : [
          `<h3>${suites.length} cipher suites of ${escape(versionTexts[name] ?? name)} (order: ${escape(facts.serverOrder[name as keyof typeof facts.serverOrder] ?? 'not known')})</h3><ul class="suites">${suites.map((suite) => `<li>${escape(suite)}</li>`).join('')}</ul>`,
        ],
  );
  return lists.join('\n');
}
