/** OpenLDAP's slapd replicates from the face by syncrepl (RFC 4533) and ends with the same content. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { csnOf } from '../../src/directory/face/sync-cookie.ts';
import { DirectoryClient, type DirectoryStore, type Operation } from '../../src/directory/index.ts';
import { type Entry, LdapError } from '../../src/ldap/index.ts';
import { addEntry, adminDn, type Face, password, root, startFace } from './face.ts';

const base = `ou=Sync,${root}`;
const changes = Number(process.env['EDGE_SYNC_CHANGES'] ?? 10_000);
const slapdPath = '/usr/sbin/slapd';
const present = await access(slapdPath).then(
  () => true,
  () => false,
);
// Where the peers must be there, their absence is a failure: the test runs and says so.
const skip = present || process.env['CI'] === 'true' ? false : 'slapd is not installed';

function configuration(folder: string, face: Face): string {
  return `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
database mdb
suffix "${base}"
rootdn "cn=root,${base}"
rootpw secret
directory ${folder}/slapd
dbnosync
index objectClass,entryUUID eq
syncrepl rid=007 provider=${face.url} type=refreshAndPersist retry="1 +" searchbase="${base}"
  bindmethod=simple binddn="${adminDn}" credentials="${password}" scope=sub schemachecking=off
  attrs="cn,sn,ou,description,objectClass,structuralObjectClass"
`;
}

class Slapd {
  readonly url: string;
  readonly #child: ChildProcess;

  constructor(folder: string) {
    this.url = `ldapi://${encodeURIComponent(join(folder, 'socket'))}`;
    this.#child = spawn(slapdPath, ['-d', '0', '-f', join(folder, 'slapd.conf'), '-h', this.url], { stdio: 'ignore' });
  }

  client(): DirectoryClient {
    return new DirectoryClient({ url: this.url, bind: { dn: `cn=root,${base}`, password: 'secret' } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.kill('SIGTERM')) await ended;
  }
}

const asLines = (entries: readonly Entry[]): string[] =>
  entries
    .map((entry) =>
      JSON.stringify([entry.dn.toLowerCase(), entry.values('sn'), entry.values('description').toSorted()]),
    )
    .sort();

function contentOf(store: DirectoryStore): string[] {
  return asLines([...store.search({ base, scope: 'sub' })]);
}

/** Asks until slapd has the last change, which it tells by its contextCSN; then both must be the same. */
async function agree(store: DirectoryStore, slapd: Slapd): Promise<void> {
  const until = Date.now() + 20_000 + changes * 10;
  const wanted = csnOf(store.usn);
  await using client = slapd.client();
  while ((await reached(client)) !== wanted) assert.ok(Date.now() < until, 'slapd did not get the last change');
  assert.deepEqual(asLines(await client.searchAll({ base, attributes: ['sn', 'description'] })), contentOf(store));
}

async function reached(client: DirectoryClient): Promise<string> {
  try {
    const [entry] = await client.searchAll({ base, scope: 'base', attributes: ['contextCSN'] });
    return entry?.values('contextCSN')[0] ?? '';
  } catch (error) {
    // Not started, or not begun to replicate.
    if (error instanceof LdapError) return error.code;
    throw error;
  }
}

/** A deterministic stream of numbers, so that a failure can be repeated. */
function* numbers(seed: number): Generator<number, never, undefined> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Changes as many clients at once make them: some commits hold one, some many. */
async function changeAtRandom(store: DirectoryStore, count: number, seed: number): Promise<void> {
  const stream = numbers(seed);
  const below = (limit: number): number => Math.floor(stream.next().value * limit);
  const people = [...store.search({ base, scope: 'sub' })].map(({ dn }) => dn).filter((dn) => dn.startsWith('cn='));
  const folders = [...store.search({ base, scope: 'one' })].map(({ dn }) => dn).filter((dn) => dn.startsWith('ou='));
  const next = (i: number): Operation => {
    const at = below(people.length);
    const dn = people[at];
    const folder = folders[below(folders.length)] ?? base;
    const step = below(10);
    if (dn === undefined || step < 4) {
      people.push(`cn=${seed} ${i},${folder}`);
      return { kind: 'add', dn: `cn=${seed} ${i},${folder}`, attributes: person(`s${i}`) };
    }
    if (step < 7) {
      const values = Array.from({ length: below(3) }, (_, n) => Buffer.from(`${i} ${n}`));
      return { kind: 'modify', dn, modifications: [{ operation: 'replace', attribute: 'description', values }] };
    }
    if (step < 8) {
      people.splice(at, 1);
      return { kind: 'delete', dn };
    }
    people[at] = `cn=r${seed} ${i},${folder}`;
    return { kind: 'modifyDn', dn, newRdn: `cn=r${seed} ${i}`, deleteOldRdn: true, newSuperior: folder };
  };
  for (let i = 0; i < count; ) {
    const size = Math.min(1 + below(60), count - i);
    const operations = Array.from({ length: size }, (_, n) => next(i + n));
    await store.batch(operations, { actor: adminDn });
    i += size;
  }
}

const person = (sn: string) => [
  { attribute: 'objectClass', values: ['top', 'person'].map((name) => Buffer.from(name)) },
  { attribute: 'sn', values: [Buffer.from(sn)] },
];

test('slapd follows, also after it was away', { skip }, async () => {
  await using face = await startFace();
  const { store, folder } = face;
  await addEntry(store, base, { objectClass: ['top', 'organizationalUnit'] });
  for (let i = 0; i < 3; i += 1)
    await addEntry(store, `ou=f${i},${base}`, { objectClass: ['top', 'organizationalUnit'] });
  await changeAtRandom(store, 50, 1);
  await mkdir(join(folder, 'slapd'));
  await writeFile(join(folder, 'slapd.conf'), configuration(folder, face));
  {
    await using slapd = new Slapd(folder);
    await agree(store, slapd);
    await changeAtRandom(store, changes, 2);
    await agree(store, slapd);
    await store.modifyDn(`ou=f1,${base}`, { newRdn: 'ou=f9', deleteOldRdn: true }, { actor: adminDn });
    await agree(store, slapd);
  }
  await changeAtRandom(store, 50, 3);
  await using again = new Slapd(folder);
  await agree(store, again);
});
