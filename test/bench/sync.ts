/**
 * EdgeSync from slapd to an appliance: the first synchronization, one with few changes, memory of every process, and the
 * lookup of the mail path. Prints each figure with its goal.
 *   node test/bench/sync.ts [--recipients N] [--addresses N]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/index.ts';
import { RecipientDirectory, recipientKeyFile } from '../../src/edge-sync/edge/index.ts';
import { statePaths } from '../../src/processes/index.ts';
import { openDirectory } from '../../src/server-state/directory/directory-access.ts';
import { placeIn } from '../../src/server-state/directory/index.ts';
import { Appliance, edgeCommand, serverName } from '../lib/appliance.ts';
import { Inside } from '../lib/inside.ts';
import { personLdif, SlapdSource, slapdMissing } from '../lib/slapd-source.ts';
import { cpuSecondsOf, processTree } from './accounting.ts';

const { values } = parseArgs({
  options: {
    recipients: { type: 'string', default: '100000' },
    addresses: { type: 'string', default: '3' },
  },
});
const recipients = Number(values.recipients);
const each = Number(values.addresses);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
let missed = 0;

function judge(what: string, value: number, unit: string, goal: number, better: 'more' | 'less' = 'less'): void {
  const reached = better === 'more' ? value >= goal : value <= goal;
  if (!reached) missed += 1;
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  say(
    `${what}: ${shown}${unit}, goal at ${better === 'more' ? 'least' : 'most'} ${goal}${unit}: ${reached ? 'reached' : 'MISSED'}`,
  );
}

const addressesOf = (i: number): string[] =>
  Array.from(
    { length: each },
    (_, n) => `${n === 0 ? 'SMTP' : 'smtp'}:user${i}${n === 0 ? '' : `.alias${n}`}@corp.example`,
  );

function* people(): Generator<string> {
  for (let i = 0; i < recipients; i++) yield personLdif(`user${i}`, addressesOf(i));
}

/** What a process took meanwhile. */
interface Cost {
  /** Most anonymous memory, in MB. */
  readonly mb: number;
  readonly cpuSeconds: number;
}

/** Anonymous memory of a process in MB; 0 when it is gone. */
function anonymousMb(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Runs `edge sync apply` and looks at all that take part meanwhile. */
async function apply(inside: Inside, appliance: Appliance): Promise<{ seconds: number; costs: Map<string, Cost> }> {
  const start = performance.now();
  const args = ['sync', 'apply', '--state', inside.state];
  const child = spawn(edgeCommand, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const costs = new Map<string, Cost>();
  const before = new Map<number, number>();
  const note = (name: string, pid: number): void => {
    const cpu = cpuSecondsOf(pid);
    if (!before.has(pid)) before.set(pid, name === 'edge sync' ? 0 : cpu);
    const known = costs.get(name);
    const mb = Math.max(known?.mb ?? 0, anonymousMb(pid));
    costs.set(name, { mb, cpuSeconds: Math.max(known?.cpuSeconds ?? 0, cpu - (before.get(pid) ?? 0)) });
  };
  const look = (): void => {
    for (const pid of processTree(appliance.pid).pids) note(`appliance: ${nameOf(pid)}`, pid);
    for (const pid of processTree(child.pid ?? 0).pids) note('edge sync', pid);
  };
  look();
  const timer = setInterval(look, 250);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`edge sync apply ended with ${String(code)}`);
  return { seconds: (performance.now() - start) / 1000, costs };
}

function nameOf(pid: number): string {
  try {
    return /bin\/(directory|transport|edge)\.ts/.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))?.[1] ?? 'other';
  } catch {
    return 'gone';
  }
}

async function lookups(appliance: Appliance): Promise<void> {
  const paths = statePaths(appliance.state);
  await using store = await openDirectory(paths, { readOnly: true });
  const { configurationDn } = placeIn(store);
  const servers = `CN=Servers,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`;
  const place = { configurationDn, serverName: serverName(), serverDn: `CN=${serverName()},${servers}` };
  const directory = new RecipientDirectory({
    store,
    place,
    keyFile: recipientKeyFile(paths.edgeSync),
    clock: systemClock,
  });
  const measure = async (what: string, local: (n: number) => string, known: boolean): Promise<void> => {
    const rates: number[] = [];
    let wrong = 0;
    for (let round = 0; round < 6; round++) {
      const count = 100_000;
      // CPU time: of the wall's, other processes of the machine take their part.
      const start = process.cpuUsage();
      for (let i = 0; i < count; i++) {
        if (
          (directory.lookup(local(Math.floor(Math.random() * recipients)), 'corp.example').kind === 'known') !==
          known
        )
          wrong += 1;
        // Event loops turn: each turn gets a new view of the store.
        if (i % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
      }
      const { user, system } = process.cpuUsage(start);
      if (round > 0) rates.push(count / ((user + system) / 1e6));
    }
    rates.sort((a, b) => a - b);
    judge(`lookups of ${what} addresses in a CPU second`, rates[2] ?? 0, '', 200_000, 'more');
    judge(`wrong answers for ${what} addresses`, wrong, '', 0);
  };
  await measure('known', (n) => `User${n}`, true);
  await measure('unknown', (n) => `nobody${n}`, false);
}

const missing = slapdMissing();
if (missing !== '') {
  process.stderr.write(`bench: ${missing}\n`);
  process.exit(2);
}
await using source = await SlapdSource.start(people(), { maxBytes: 8 * 1024 ** 3 });
await using appliance = await Appliance.start({ workers: 2 });
await using inside = new Inside();
const initArguments = [
  '--source',
  source.url,
  '--bind-dn',
  source.bindDn,
  '--password-file',
  inside.file('pw', source.password),
  '--domain',
  'corp.example',
];
await inside.done('init', ...initArguments);
await inside.subscribe(appliance);
say(`${recipients} recipients with ${each} addresses each, from slapd`);
const first = await apply(inside, appliance);
judge('first synchronization', first.seconds, ' s', 60);
for (const [name, { mb, cpuSeconds }] of first.costs)
  judge(`${name}: ${cpuSeconds.toFixed(1)} CPU seconds, anonymous memory`, mb, ' MB', 300);
const changes = Array.from(
  { length: 10 },
  (_, i) =>
    `dn: uid=user${i},ou=People,${source.base}\nchangetype: modify\nadd: proxyAddresses\nproxyAddresses: smtp:new${i}@corp.example\n`,
);
source.modify(changes.join('\n'));
const next = await apply(inside, appliance);
judge('synchronization of 10 changes, the start of the command included', next.seconds, ' s', 1);
const idle = await apply(inside, appliance);
say(`synchronization of no change: ${idle.seconds.toFixed(2)} s`);
await lookups(appliance);
process.exitCode = missed === 0 ? 0 : 1;
