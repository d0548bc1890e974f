/** The directory process is killed in the middle of loads: what was acknowledged is there, and the indexes agree with it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DirectoryClient } from '../../src/directory/index.ts';
import { Appliance, edge, edgeCommand, eventually } from '../lib/appliance.ts';

const loaders = 6;
const kills = 4;

const attributes = (values: Readonly<Record<string, string>>): { attribute: string; values: Buffer[] }[] =>
  Object.entries(values).map(([attribute, value]) => ({ attribute, values: [Buffer.from(value)] }));

function clientOf({ state }: Appliance): DirectoryClient {
  return new DirectoryClient({ url: `ldapi://${encodeURIComponent(join(state, 'run/ldapi'))}`, bind: 'external' });
}

/** What one loader knows to be in the directory: number of the entry to its title; undefined for a deleted one. */
type Known = Map<number, string | undefined>;

/** Adds, changes and deletes entries until told to stop. What fails may or may not have happened: it is not looked at again. */
async function load(
  appliance: Appliance,
  base: string,
  name: string,
  known: Known,
  stopped: () => boolean,
): Promise<void> {
  let client = clientOf(appliance);
  for (let i = 0; !stopped(); i++) {
    const dn = `CN=${name}-${i},${base}`;
    try {
      await client.add(
        dn,
        attributes({ objectClass: 'inetOrgPerson', sn: `s${i}`, mail: `${name}.${i}@load.example`, title: 'new' }),
      );
      known.set(i, 'new');
      if (i % 3 === 1)
        await settle(known, i, 'changed', () =>
          client.modify(dn, [{ operation: 'replace', attribute: 'title', values: [Buffer.from('changed')] }]),
        );
      if (i % 5 === 4) await settle(known, i, undefined, () => client.delete(dn));
    } catch {
      await client.close().catch(() => undefined);
      client = clientOf(appliance);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await client.close();
}

/** While a change is under way nothing is known of its entry; afterwards its outcome is. */
async function settle(
  known: Known,
  i: number,
  outcome: string | undefined,
  change: () => Promise<unknown>,
): Promise<void> {
  known.delete(i);
  await change();
  known.set(i, outcome);
}

let appliance: Appliance;
before(async () => {
  appliance = await Appliance.start({ workers: 2 });
});
after(() => appliance[Symbol.asyncDispose]());

test('every acknowledged write survives kill -9, and the indexes agree', async () => {
  await using client = clientOf(appliance);
  let configuration = '';
  for await (const entry of client.search({ base: '', scope: 'base', attributes: ['configurationNamingContext'] }))
    configuration = entry.values('configurationNamingContext')[0] ?? '';
  const base = `CN=Load,${configuration}`;
  await client.add(base, attributes({ objectClass: 'container' }));
  const known: Known[] = Array.from({ length: loaders }, () => new Map<number, string | undefined>());
  const acknowledged = (): number => known.reduce((sum, { size }) => sum + size, 0);
  let stop = false;
  const running = known.map((each, i) => load(appliance, base, `l${i}`, each, () => stop));
  let last = 0;
  for (let i = 0; i < kills; i++) {
    const enough = acknowledged() + 60;
    await eventually('writes between two kills', () => acknowledged() > enough, 120_000);
    await eventually('a directory process of its own', () => {
      const pid = appliance.directory();
      if (pid === 0 || pid === last) return false;
      process.kill(pid, 'SIGKILL');
      last = pid;
      return true;
    });
  }
  const enough = acknowledged() + 20;
  await eventually('writes after the last kill', () => acknowledged() > enough, 120_000);
  stop = true;
  await Promise.all(running);
  const verified = await edge('directory', 'verify', '--state', appliance.state);
  assert.equal(verified.status, 0, verified.out);
  const found = new Map<string, string>();
  const exported = await edge(
    'directory',
    'export',
    '--state',
    appliance.state,
    '--base',
    base,
    '--scope',
    'one',
    '--json',
  );
  for (const line of exported.out.trim().split('\n')) {
    const { dn, attributes: kept } = JSON.parse(line) as { dn: string; attributes: Record<string, string[]> };
    found.set(dn.slice(3, dn.indexOf(',')), kept['title']?.[0] ?? '');
  }
  const wrong = known.flatMap((each, loader) =>
    [...each]
      .filter(([i, title]) => found.get(`l${loader}-${i}`) !== title)
      .map(([i, title]) => `l${loader}-${i}: ${title}`),
  );
  assert.deepEqual(wrong, [], `of ${acknowledged()} acknowledged writes`);
});

test('an import beside the running service is killed: nothing of it is there, and the service goes on', async () => {
  const file = join(appliance.state, '..', 'load.ldif');
  const people = Array.from({ length: 30_000 }, (_, i) => `dn: cn=p${i},o=load\nobjectClass: person\nsn: s${i}\n`);
  writeFileSync(file, ['dn: o=load\nobjectClass: organization\n', ...people].join('\n'));
  const content = await edge('directory', 'export', '--state', appliance.state);
  const child = spawn(edgeCommand, ['directory', 'import', '--state', appliance.state, file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((resolve) => child.stderr.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  await using client = clientOf(appliance);
  const configuration = /^dn: (CN=Configuration,.*)$/m.exec(content.out)?.[1] ?? '';
  // A writer that died holding the lock must not keep the next one from it.
  await client.add(`CN=After,${configuration}`, attributes({ objectClass: 'container' }));
  await client.delete(`CN=After,${configuration}`);
  assert.equal((await edge('directory', 'export', '--state', appliance.state)).out, content.out);
  assert.equal((await edge('directory', 'verify', '--state', appliance.state)).status, 0);
});

test('an import beside the running service is in force in every worker, and heard by those who follow', async () => {
  const { out } = await edge('directory', 'export', '--state', appliance.state);
  const connector =
    /^dn: (CN=Default internal receive connector[^\n]*(?:\n [^\n]*)*)/m.exec(out)?.[1]?.replaceAll('\n ', '') ?? '';
  const file = join(appliance.state, '..', 'banner.ldif');
  writeFileSync(
    file,
    `dn: ${connector}\nchangetype: modify\nreplace: msExchSmtpReceiveBanner\nmsExchSmtpReceiveBanner: 220 imported banner\n-\n`,
  );
  const imported = await edge('directory', 'import', '--state', appliance.state, file);
  assert.equal(imported.status, 0, imported.error);
  const greeting = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(appliance.port, '127.0.0.1').once('error', reject);
      socket.once('data', (octets: Buffer) => {
        resolve(octets.toString());
        socket.destroy();
      });
    });
  await eventually('the new banner', async () =>
    (await Promise.all([greeting(), greeting(), greeting(), greeting()])).every((text) =>
      text.includes('imported banner'),
    ),
  );
});
