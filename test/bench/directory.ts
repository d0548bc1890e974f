/**
 * The directory against OpenLDAP's slapd with back-mdb in the same run: the same recipients, the same indexes, both durable,
 * in turn, round by round. Then what only the product is asked for: import, memory, start, lookups inside the process, how
 * fast a change reaches every worker. Prints medians and ratios; writes all runs to .bench/directory.json.
 *   node test/bench/directory.ts [--entries N] [--rounds N] [--seconds S] [--only text]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DirectoryClient } from '../../src/directory/index.ts';
import { statePaths } from '../../src/processes/index.ts';
import { openDirectory } from '../../src/server-state/directory/directory-access.ts';
import { Appliance, edge as run } from '../lib/appliance.ts';
import { memoryOf, processTree } from './accounting.ts';
import { type LdapPeer, type LoadResult, loadByAdds, lookUp, recipientsLdif, walkPaged } from './ldap-load.ts';
import { changeReachesWorkers } from './reach-workers.ts';
import { Slapd, slapdMissing, slapdVersion } from './slapd.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});
const entries = Number(values.entries);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const show = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
const raw: Record<string, unknown>[] = [];
let missed = 0;

/** One line with what was reached and what the product promises. */
function judge(what: string, value: number, goal: number, unit: string, better: 'more' | 'less' = 'more'): void {
  const reached = better === 'more' ? value >= goal : value <= goal;
  if (!reached) missed += 1;
  raw.push({ what, value, goal, reached });
  say(
    `${what}: ${show(value)}${unit}, goal ${better === 'more' ? 'at least' : 'at most'} ${goal}${unit}: ${reached ? 'reached' : 'MISSED'}`,
  );
}

const missing = slapdMissing();
if (missing !== '') {
  process.stderr.write(`bench: ${missing}\n`);
  process.exit(2);
}

/** An appliance whose directory has an administrator that binds over the network. */
class EdgeDirectory implements AsyncDisposable, LdapPeer {
  readonly name = 'edge';
  readonly password = 'correct horse battery';
  readonly appliance: Appliance;
  bindDn = '';

  private constructor(appliance: Appliance) {
    this.appliance = appliance;
  }

  static async prepare(): Promise<EdgeDirectory> {
    return new EdgeDirectory(await Appliance.prepare({ workers: 2 }));
  }

  get port(): number {
    return this.appliance.ldapPort;
  }

  get pid(): number {
    const { pids } = processTree(this.appliance.pid);
    return pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('bin/directory.ts')) ?? 0;
  }

  /** `edge directory import` on the stopped appliance; the seconds the whole command took. */
  async import(file: string): Promise<number> {
    const start = performance.now();
    const { status, error } = await run('directory', 'import', '--state', this.appliance.state, file);
    if (status !== 0) throw new Error(error);
    return (performance.now() - start) / 1000;
  }

  async start(): Promise<void> {
    await this.appliance.start();
    const socket = encodeURIComponent(join(this.appliance.state, 'run/ldapi'));
    await using client = new DirectoryClient({ url: `ldapi://${socket}`, bind: 'external' });
    if (this.bindDn !== '') return;
    const configuration = await configurationOf(client);
    // Accounts count only there.
    this.bindDn = `CN=bench,CN=Services,${configuration}`;
    const values = { objectClass: ['person', 'edgeAccount'], sn: ['bench'], userPassword: [this.password] };
    await client.add(
      this.bindDn,
      Object.entries(values).map(([attribute, list]) => ({ attribute, values: list.map((each) => Buffer.from(each)) })),
    );
    await client.modify(`CN=Administrators,CN=Roles,${configuration}`, [
      { operation: 'add', attribute: 'member', values: [Buffer.from(this.bindDn)] },
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.appliance[Symbol.asyncDispose]();
  }
}

async function configurationOf(client: DirectoryClient): Promise<string> {
  for await (const entry of client.search({ base: '', scope: 'base', attributes: ['configurationNamingContext'] }))
    return entry.values('configurationNamingContext')[0] ?? '';
  throw new Error('the root DSE was not found');
}

/** Both servers, filled by their own bulk tools. */
async function filled(count: number, work: (edge: EdgeDirectory, slapd: Slapd) => Promise<void>): Promise<void> {
  await using slapd = await Slapd.prepare();
  await using edge = await EdgeDirectory.prepare();
  const file = join(slapd.folder, 'recipients.ldif');
  writeFileSync(file, [...recipientsLdif(0, count)].join(''));
  const [took, slapadd] = [await edge.import(file), slapd.import(file)];
  if (count > 0) {
    say(`slapadd -q, not durable until its end: ${show(count / slapadd)} entries/s`);
    judge('edge directory import', count / took, 10_000, ' entries/s');
  }
  await slapd.start();
  await edge.start();
  await work(edge, slapd);
}

/** Runs both in turn and judges the median of the ratios of the rounds. */
async function compare(
  what: string,
  goal: number,
  peers: readonly [edge: EdgeDirectory, slapd: Slapd],
  measure: (peer: LdapPeer, round: number) => Promise<LoadResult>,
): Promise<void> {
  const results = { edge: [] as LoadResult[], slapd: [] as LoadResult[] };
  for (let round = 0; round <= rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      const name = peer === peers[0] ? 'edge' : 'slapd';
      const result = await measure(peer, round);
      raw.push({ what, peer: name, round, ...result });
      // The first round warms up.
      if (round > 0) results[name].push(result);
    }
  }
  for (const [name, list] of Object.entries(results)) {
    const wrong = list.reduce((sum, each) => sum + each.wrong, 0);
    const of = (field: 'perSecond' | 'p50' | 'p99'): string => show(median(list.map((each) => each[field])));
    say(
      `  ${name.padEnd(6)} ${of('perSecond').padStart(7)}/s  p50 ${of('p50')} ms  p99 ${of('p99')} ms${wrong === 0 ? '' : `  WRONG ANSWERS ${wrong}`}`,
    );
    missed += wrong;
  }
  const ratios = results.edge.map(({ perSecond }, i) => perSecond / (results.slapd[i]?.perSecond ?? Number.NaN));
  judge(
    `${what}, ratio to slapd (${show(Math.min(...ratios))}-${show(Math.max(...ratios))})`,
    median(ratios),
    goal,
    '',
  );
}

/** Adds over so many connections: a part of the entries in each round, a few to warm up. */
async function load(connections: number, count: number): Promise<void> {
  await filled(0, async (edge, slapd) => {
    const warmUp = 200;
    const each = Math.floor(count / rounds);
    await compare(`${count} adds over LDAP, ${connections} connections, durable`, 1, [edge, slapd], (peer, round) =>
      round === 0
        ? loadByAdds(peer, 0, warmUp, connections)
        : loadByAdds(peer, warmUp + (round - 1) * each, each, connections),
    );
  });
}

async function search(): Promise<void> {
  await filled(entries, async (edge, slapd) => {
    const peers = [edge, slapd] as const;
    await compare('equality search, 1 client', 0.6, peers, (peer) => lookUp(peer, entries, 1, seconds));
    await compare('equality search, 16 clients', 0.4, peers, (peer) => lookUp(peer, entries, 16, seconds));
    await compare('paged walk through all, 1000 a page', 0.3, peers, (peer) => walkPaged(peer, 1000, entries));
    // As it is when nobody asks any more: a busy heap is given back after some seconds (supervisor/idle-memory.ts).
    const busy = memoryOf([edge.pid]);
    await pause(12_000);
    const [mine, other] = [memoryOf([edge.pid]), memoryOf([slapd.pid])];
    const mib = ({ rss, pss }: { rss: number; pss: number }): string =>
      `${Math.round(rss)} MiB resident, ${Math.round(pss)} MiB its share`;
    say(`memory of the directory process: busy ${mib(busy)}; at rest ${mib(mine)}; of slapd ${mib(other)}`);
    judge('memory at rest (resident), ratio to slapd', mine.rss / other.rss, 2, '', 'less');
    judge('memory busy (its share), ratio to slapd', busy.pss / other.pss, 2, '', 'less');
    const times = await changeReachesWorkers(edge.appliance.state, 20);
    judge('a change reaches every worker, median of 20', median(times), 200, ' ms', 'less');
    judge('a change reaches every worker, longest of 20', Math.max(...times), 200, ' ms', 'less');
    await lookUpInside(edge);
    const starts: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await edge.appliance.stop();
      const begin = performance.now();
      await edge.appliance.start();
      starts.push(performance.now() - begin);
    }
    judge(`edge start with ${entries} entries`, median(starts), 1000, ' ms', 'less');
  });
}

/** As the transport looks recipients up: the mapped store, opened beside the service. */
async function lookUpInside(edge: EdgeDirectory): Promise<void> {
  await using store = await openDirectory(statePaths(edge.appliance.state), { readOnly: true });
  const rates: number[] = [];
  let wrong = 0;
  for (let round = 0; round <= rounds; round++) {
    const count = 200_000;
    const begin = performance.now();
    for (let i = 0; i < count; i++) {
      const address = `smtp:alias${Math.floor(Math.random() * entries)}@bench.test`;
      if (store.lookupEquality('proxyAddresses', address).length !== 1) wrong += 1;
      // Event loops turn: each turn gets a new view of the store.
      if (i % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
    }
    if (round > 0) rates.push(count / ((performance.now() - begin) / 1000));
  }
  missed += wrong;
  judge('lookups inside the process', median(rates), 200_000, '/s');
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  load16: () => load(16, entries),
  load1: () => load(1, Math.min(entries, 10_000)),
  search,
};
say(`Edge and ${slapdVersion()}; ${rounds} rounds after a warm-up, medians\n`);
for (const [name, part] of Object.entries(parts)) if (values.only === '' || name.startsWith(values.only)) await part();
mkdirSync('.bench', { recursive: true });
writeFileSync(
  `.bench/directory${values.only === '' ? '' : `-${values.only}`}.json`,
  `${JSON.stringify(raw, undefined, 1)}\n`,
);
process.exitCode = missed === 0 ? 0 : 1;
