/** OpenLDAP's slapd replicates from the face by syncrepl (RFC 4533) and ends with the same content. */
import assert from 'node:assert/strict';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { csnOf } from '../../src/directory/face/follow/sync-cookie.ts';
import { DirectoryClient, type DirectoryStore } from '../../src/directory/index.ts';
import { type Entry, LdapError } from '../../src/ldap/index.ts';
import { SlapdProcess } from '../lib/slapd.ts';
import { addEntry, adminDn, type Face, password, root, startFace } from './face.ts';
import { changeAtRandom } from './random-changes.ts';

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

class Slapd implements AsyncDisposable {
  readonly url: string;
  readonly #process = new SlapdProcess();

  private constructor(folder: string) {
    this.url = `ldapi://${encodeURIComponent(join(folder, 'socket'))}`;
  }

  static async start(folder: string): Promise<Slapd> {
    const slapd = new Slapd(folder);
    await slapd.#process.start(join(folder, 'slapd.conf'), slapd.url);
    return slapd;
  }

  client(): DirectoryClient {
    return new DirectoryClient({ url: this.url, bind: { dn: `cn=root,${base}`, password: 'secret' } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
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
  const until = Date.now() + 60_000 + changes * 10;
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

test('slapd follows, also after it was away', { skip }, async () => {
  await using face = await startFace();
  const { store, folder } = face;
  await addEntry(store, base, { objectClass: ['top', 'organizationalUnit'] });
  for (let i = 0; i < 3; i += 1)
    await addEntry(store, `ou=f${i},${base}`, { objectClass: ['top', 'organizationalUnit'] });
  await changeAtRandom(store, base, 50, 1);
  await mkdir(join(folder, 'slapd'));
  await writeFile(join(folder, 'slapd.conf'), configuration(folder, face));
  {
    await using slapd = await Slapd.start(folder);
    await agree(store, slapd);
    await changeAtRandom(store, base, changes, 2);
    await agree(store, slapd);
    await store.modifyDn(`ou=f1,${base}`, { newRdn: 'ou=f9', deleteOldRdn: true }, { actor: adminDn });
    await agree(store, slapd);
  }
  await changeAtRandom(store, base, 50, 3);
  await using again = await Slapd.start(folder);
  await agree(store, again);
});
