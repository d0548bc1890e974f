/**
 * How long a person waits for `edge shell` and the commands beside it: medians over rounds in which all cases take turns,
 * with the service and without it, and the goals. Compiled code is cached, as after the first call; the first call after a
 * clone (nothing cached) stands in rows of its own. `node` is what the runtime needs to run nothing. Writes all times to
 * .bench/shell.json. The exit status says nothing about time.
 *   node test/bench/shell.ts [--rounds N] [--only text]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Appliance } from '../lib/appliance.ts';
import { installed, timeToEnd, timeToPrompt, withCache } from './start-timing.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, only: { type: 'string', default: '' } },
});
const rounds = Number(values.rounds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-shell-'));
using _removed = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
// Histories of prompts are not the person's own.
process.env['XDG_STATE_HOME'] = folder;
await using running = await Appliance.start({ workers: 1 });
await using stopped = await Appliance.prepare({ workers: 1 });

/** A script of 1,000 lines as administrators write them: cmdlets with literals, pipelines, loops, comments. */
function longScript(): string {
  const block = (i: number): string[] => [
    `# Relay for application ${i}`,
    `$range = "10.${Math.floor(i / 250)}.${i % 250}.0/24"`,
    `New-ReceiveConnector -Name "Relay ${i}" -Usage Custom -Bindings 127.0.0.1:${2600 + i} -RemoteIPRanges $range`,
    `Set-ReceiveConnector "Relay ${i}" -PermissionGroups AnonymousUsers -MaxMessageSize 25MB -ConnectionTimeout 00:10:00`,
    `Get-ReceiveConnector "Relay ${i}" | Add-ADPermission -User "NT AUTHORITY\\ANONYMOUS LOGON" -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient`,
    `New-AcceptedDomain -Name "Domain ${i}" -DomainName "d${i}.example" -DomainType Authoritative`,
    `if ((Get-Queue -Filter "MessageCount -gt ${i}").Count -gt 0) {`,
    '  Get-Queue | Where-Object { $_.Status -eq "Retry" } | Retry-Queue -Confirm:$false',
    '}',
    `foreach ($each in Get-AcceptedDomain) { Write-Output "$($each.Name): $($each.DomainName)" }`,
  ];
  return `${Array.from({ length: 100 }, (_, i) => block(i).join('\n')).join('\n')}\n`;
}
const script = join(folder, 'setup.ps1');
writeFileSync(script, longScript());

interface Case {
  readonly name: string;
  readonly measure: () => Promise<number>;
  /** Milliseconds at the most, where the product promises any. */
  readonly goal?: number;
  /** Rounds it takes part in; default all. */
  readonly most?: number;
}

let caches = 0;
const emptyCache = (): string => join(folder, `cache-${++caches}`);
const line = ['-c', 'Get-ReceiveConnector'] as const;
const here = ['--state', running.state] as const;
const there = ['--state', stopped.state] as const;
const first = { most: 5 };

const cases: readonly Case[] = [
  { name: 'node', measure: () => timeToEnd({ program: process.execPath, args: ['-e', '0'] }) },
  {
    name: 'prompt, service running',
    goal: 300,
    measure: () => timeToPrompt(installed('shell', ...here)),
  },
  {
    name: 'prompt, service stopped',
    goal: 300,
    measure: () => timeToPrompt(installed('shell', ...there)),
  },
  {
    name: 'shell -c Get-ReceiveConnector, service running',
    goal: 400,
    measure: () => timeToEnd(installed('shell', ...here, ...line)),
  },
  {
    name: 'shell -c Get-ReceiveConnector, service stopped',
    goal: 400,
    measure: () => timeToEnd(installed('shell', ...there, ...line)),
  },
  {
    name: 'shell --check, 1,000 lines',
    goal: 1000,
    measure: () => timeToEnd(installed('shell', '--check', script)),
  },
  { name: 'status', measure: () => timeToEnd(installed('status', ...here)) },
  { name: 'why (nothing known)', measure: () => timeToEnd(installed('why', 'nobody@corp.example', ...here), 1) },
  { name: '--help', measure: () => timeToEnd(installed('--help')) },
  {
    ...first,
    name: 'first call: prompt, service running',
    measure: () => timeToPrompt(withCache(emptyCache(), 'shell', ...here)),
  },
  {
    ...first,
    name: 'first call: prompt, service stopped',
    measure: () => timeToPrompt(withCache(emptyCache(), 'shell', ...there)),
  },
  {
    ...first,
    name: 'first call: shell -c, service running',
    measure: () => timeToEnd(withCache(emptyCache(), 'shell', ...here, ...line)),
  },
  {
    ...first,
    name: 'first call: shell -c, service stopped',
    measure: () => timeToEnd(withCache(emptyCache(), 'shell', ...there, ...line)),
  },
  {
    ...first,
    name: 'first call: shell --check, 1,000 lines',
    measure: () => timeToEnd(withCache(emptyCache(), 'shell', '--check', script)),
  },
];

const chosen = cases.filter(({ name }) => name.includes(values.only));
const times = new Map<Case, number[]>(chosen.map((each) => [each, []]));
// The first round fills the cache and warms up.
for (let round = 0; round <= rounds; round++) {
  for (const each of chosen) {
    if (round > (each.most ?? rounds)) continue;
    const took = await each.measure();
    if (round > 0) times.get(each)?.push(took);
  }
}

/** Value below which a share of the times lies. */
function quantile(list: readonly number[], share: number): number {
  return [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN;
}

say(`edge shell on Node ${process.version}, ${rounds} rounds after a warm-up; ms`);
say(`${''.padEnd(50)}${'median'.padStart(8)}${'least'.padStart(8)}${'p90'.padStart(8)}    goal`);
for (const [{ name, goal }, list] of times) {
  const figures = [0.5, 0, 0.9].map((share) => quantile(list, share).toFixed(0).padStart(8)).join('');
  const reached = quantile(list, 0.5) < (goal ?? 0) ? 'reached' : 'MISSED';
  say(`${name.padEnd(50)}${figures}${goal === undefined ? '' : `    < ${goal}  ${reached}`}`);
}
mkdirSync('.bench', { recursive: true });
const raw = [...times].map(([{ name, goal }, milliseconds]) => ({ name, goal, milliseconds }));
writeFileSync('.bench/shell.json', `${JSON.stringify(raw, undefined, 1)}\n`);
