/** DirSync, as tools made for Active Directory follow a directory. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import { addEntry, adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import { changeAtRandom } from './random-changes.ts';
import {
  addOp,
  bindOp,
  deleteOp,
  extendedOp,
  message,
  modifyDnOp,
  modifyOp,
  type RawAnswer,
  RawClient,
  searchOp,
} from './raw-client.ts';

const people = `ou=People,${root}`;
const ann = `cn=Ann,${people}`;
const changes = Number(process.env['EDGE_SYNC_CHANGES'] ?? 10_000);

async function bound(face: Face, dn = adminDn): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

/** A client that keeps its cookie from one question to the next. */
class Follower {
  cookie: Buffer = Buffer.alloc(0);
  readonly #client: RawClient;
  readonly #base: string;

  constructor(client: RawClient, base: string) {
    this.#client = client;
    this.#base = base;
  }

  async read(): Promise<RawAnswer[]> {
    const value = sequence(integer(0), integer(1000), octets(this.cookie));
    const control = { oid: controlOids.dirSync, critical: true, value };
    const asked = searchOp({ base: this.#base, scope: 2, attributes: ['sn', 'description'] });
    const answers = await this.#client.answers(this.#client.send(asked, [control]));
    const done = answers.pop();
    assert.equal(done?.code, 0, done?.message);
    const reader = new BerReader(done.controls.get(controlOids.dirSync) ?? Buffer.alloc(0)).enter(0x30);
    assert.deepEqual([reader.integer(), reader.integer()], [0, 0]);
    this.cookie = Buffer.from(reader.octets());
    return answers;
  }
}

/** Name and attributes but the GUID, as text. */
const shown = (answers: readonly RawAnswer[]): (readonly [string | undefined, Record<string, string[]>])[] =>
  answers.map(({ name, attributes }) => {
    assert.equal(attributes.get('objectGUID')?.[0]?.length, 16);
    const others = [...attributes].filter(([key]) => key !== 'objectGUID');
    return [name, Object.fromEntries(others.map(([key, values]) => [key, values.map(String)]))];
  });

test('what changed comes, and nothing else', async () => {
  await using face = await startFace();
  using client = await bound(face);
  const follower = new Follower(client, people);
  assert.equal((await follower.read()).length, 4);
  assert.deepEqual(await follower.read(), []);
  const bob = `cn=Bob,${people}`;
  const steps: readonly (readonly [operation: Buffer, expected: ReturnType<typeof shown>])[] = [
    [modifyOp(ann, [2, 'description', ['text']]), [[ann, { description: ['text'] }]]],
    [modifyOp(ann, [1, 'description', []]), [[ann, { description: [] }]]],
    [modifyOp(ann, [2, 'mail', ['other@example.com']]), [[ann, {}]]],
    [addOp(`cn=New,${people}`, { objectClass: ['person'], sn: ['x'] }), [[`cn=New,${people}`, { sn: ['x'] }]]],
    [modifyDnOp(`cn=New,${people}`, 'cn=Newer'), [[`cn=Newer,${people}`, {}]]],
    [modifyOp(root, [2, 'description', ['above']]), []],
  ];
  for (const [operation, expected] of steps) {
    assert.equal((await client.ask(operation)).code, 0);
    assert.deepEqual(shown(await follower.read()), expected);
  }
  const guid = face.store.get(bob)?.guid ?? '';
  assert.equal((await client.ask(deleteOp(bob))).code, 0);
  assert.deepEqual(shown(await follower.read()), [
    [`cn=Bob\\0ADEL:${guid},CN=Deleted Objects,${root}`, { isDeleted: ['TRUE'], lastKnownParent: [people] }],
  ]);
});

test('what leaves the base is told as deleted, what comes in as there, with all that is below', async () => {
  await using face = await startFace();
  using client = await bound(face);
  await addEntry(face.store, `ou=Base,${root}`, { objectClass: 'organizationalUnit' });
  const follower = new Follower(client, `ou=Base,${root}`);
  await follower.read();
  const move = (dn: string, superior: string): Buffer => modifyDnOp(dn, 'ou=People', true, superior);
  assert.equal((await client.ask(move(people, `ou=Base,${root}`))).code, 0);
  const came = (await follower.read()).map(({ name }) => name);
  assert.deepEqual(
    came.sort(),
    ['cn=Ann,', 'cn=Bob,', 'cn=Zoë,', ''].map((cn) => `${cn}ou=People,ou=Base,${root}`).sort(),
  );
  assert.equal((await client.ask(move(`ou=People,ou=Base,${root}`, root))).code, 0);
  const left = await follower.read();
  assert.deepEqual([left.length, left.every(({ attributes }) => attributes.has('isDeleted'))], [4, true]);
});

test('a cookie of nobody brings everything, and who may not see is told nothing', async () => {
  await using face = await startFace();
  using client = await bound(face);
  const follower = new Follower(client, people);
  follower.cookie = Buffer.from('EDS1 of somebody');
  assert.equal((await follower.read()).length, 4);
  using user = await bound(face, userDn);
  const control = { oid: controlOids.dirSync, critical: true, value: sequence(integer(0), integer(0), octets('')) };
  assert.equal((await user.ask(searchOp({ base: people, scope: 2 }), [control])).code, 32);
  assert.equal((await user.ask(searchOp({ base: '', scope: 2 }), [control])).code, 50);
});

test('a client that goes away, or cancels, in the middle is no fault', async () => {
  await using face = await startFace();
  const add = Array.from({ length: 3000 }, (_, i) => ({
    kind: 'add' as const,
    dn: `cn=m${i},${people}`,
    attributes: [
      { attribute: 'objectClass', values: [Buffer.from('person')] },
      { attribute: 'sn', values: [Buffer.from('x')] },
    ],
  }));
  await face.store.batch(add, { actor: adminDn });
  const control = { oid: controlOids.dirSync, critical: true, value: sequence(integer(0), integer(0), octets('')) };
  const asked = searchOp({ base: people, scope: 2 });
  const cancel = extendedOp('1.3.6.1.1.8', sequence(integer(9)));
  using client = await bound(face);
  client.socket.write(Buffer.concat([message(9, asked, [control]), message(10, cancel)]));
  const codes = new Map<number, number | undefined>();
  while (codes.size < 2) {
    const answer = await client.next();
    if (answer?.code !== undefined) codes.set(answer.id, answer.code);
  }
  assert.deepEqual([codes.get(9), codes.get(10)], [118, 0]);
  client.socket.write(message(11, asked, [control]));
  client.socket.destroy();
  using other = await bound(face);
  while (face.server.connections > 1) assert.equal((await other.ask(searchOp({ base: '' }))).code, 0);
  assert.deepEqual(
    face.events.filter(({ kind }) => kind === 'fault'),
    [],
  );
});

test('ldap3 follows random changes and ends with the same content', async (t) => {
  await using face = await startFace();
  const { store } = face;
  const base = `ou=Sync,${root}`;
  for (const dn of [base, ...[0, 1, 2].map((i) => `ou=f${i},${base}`)])
    await addEntry(store, dn, { objectClass: ['top', 'organizationalUnit'] });
  const follower = spawn(
    '/usr/bin/python3',
    ['test/directory-face/follow.py', String(face.port), base, adminDn, password],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  t.after(() => follower.kill());
  const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]();
  const ask = async (line: string): Promise<number> => {
    follower.stdin.write(`${line}\n`);
    const { value, done } = await lines.next();
    assert.ok(done !== true, 'the follower ended');
    return Number(value);
  };
  assert.equal(await ask('read'), 4);
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1) {
    await changeAtRandom(store, base, Math.floor(changes / rounds), round);
    if (round % 5 === 2) await store.modifyDn(`ou=f1,${base}`, renamed('f9'), { actor: adminDn });
    if (round % 5 === 3) await store.modifyDn(`ou=f9,${base}`, renamed('f1'), { actor: adminDn });
    assert.ok((await ask('read')) > 0);
  }
  assert.equal(await ask('end'), [...store.search({ base, scope: 'sub' })].length);
  const ended = once(follower, 'exit');
  follower.stdin.end();
  assert.deepEqual(await ended, [0, null]);
});

const renamed = (ou: string) => ({ newRdn: `ou=${ou}`, deleteOldRdn: true });
