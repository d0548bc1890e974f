/** One HTML file without any outside reference, readable and printable. */
import { printable } from '../../base/index.ts';
import { endpointText } from '../endpoint.ts';
import type { Profile } from '../profile.ts';
import { fixFor } from './fixes.ts';
import { type Report, type Row, rankOf, rowsOf } from './report.ts';

const escape = (text: string): string =>
  printable(text).replaceAll(/[<>&"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

const style = `
:root { color-scheme: light dark; --line: #8884; --dim: #777; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 2px solid var(--line); padding-top: 1rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; } code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; } .dim { color: var(--dim); }
.badge { display: inline-block; min-width: 5.5rem; text-align: center; border-radius: .3rem; padding: 0 .4rem; font-weight: 600; font-size: .85rem; color: #fff; background: #777; }
.pass { background: #1a7f37; } .fail { background: #b91c1c; } .warn { background: #b45309; } .notice { background: #0369a1; } .info { background: #64748b; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { max-width: none; margin: 0; font-size: 11px; } h2 { break-before: page; } h2:first-of-type { break-before: auto; } tr { break-inside: avoid; } .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** The whole file. */
export function htmlReport(reports: readonly Report[], profiles: readonly Profile[]): string {
  const overview = reports.map(
    (report) =>
      `<tr><td>${escape(endpointText(report.target))}</td>${profiles.map((profile) => `<td>${worstBadge(report, profile.id)}</td>`).join('')}</tr>`,
  );
  const head = `<tr><th>Endpoint</th>${profiles.map(({ title }) => `<th>${escape(title)}</th>`).join('')}</tr>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>TLS compliance of mail endpoints</title><style>${style}</style></head>
<body><h1>TLS compliance of mail endpoints</h1><p class="dim">Tested ${escape(reports[0]?.at ?? '')}</p>
<table>${head}${overview.join('\n')}</table>
${reports.map((report) => section(report, profiles)).join('\n')}
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

function section(report: Report, profiles: readonly Profile[]): string {
  const tables = profiles.map((profile) => {
    const rows = rowsOf(report).filter((row) => row.profile === profile.id);
    const sorted = rows.toSorted((a, b) => rankOf(b.verdict.verdict) - rankOf(a.verdict.verdict));
    return `<h3>${escape(profile.title)}</h3><table>${sorted.map((row) => tableRow(row, profile)).join('\n')}</table>`;
  });
  return `<h2>${escape(endpointText(report.target))}</h2>${factList(report)}${tables.join('\n')}`;
}

function tableRow(row: Row, profile: Profile): string {
  const rule = profile.rules.find(({ id }) => id === row.rule);
  const { verdict, evidence, source } = row.verdict;
  const fix = rankOf(verdict) >= 2 && rule !== undefined ? fixFor(rule) : undefined;
  const reason = verdict.startsWith('not-tested') ? verdict.slice('not-tested('.length, -1) : evidence;
  const lines =
    fix === undefined
      ? []
      : fix.edge === fix.postfix
        ? [`<code>${escape(fix.edge)}</code>`]
        : [
            `Edge: <code>${escape(fix.edge)}</code>`,
            `Exchange: <code>${escape(fix.exchange)}</code>`,
            `Postfix: <code>${escape(fix.postfix)}</code>`,
          ];
  return `<tr><td>${badge(verdict)}</td><td><strong>${escape(rule?.title ?? row.rule)}</strong> <span class="dim">${escape(row.rule)}</span><br>${escape(reason)}${lines.map((line) => `<br>${line}`).join('')}</td><td class="dim">${escape(source)}</td></tr>`;
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
  return `<dl>${[
    entry(
      'Versions',
      Object.entries(facts.protocols)
        .map(([name, answer]) => `${name}: ${answer}`)
        .join(', '),
    ),
    ...Object.entries(facts.cipherSuites).map(([name, suites = []]) => entry(`Suites ${name}`, suites.join(', '))),
    entry('Groups', facts.groups.join(', ')),
    entry('Signatures', facts.signatureAlgorithms.join(', ')),
    ...leaves.map((text) => entry('Certificate', text)),
    entry('Cost', `${connections} connections, ${seconds} s`),
  ].join('')}</dl>`;
}
