/** Searches that follow changes: persistent search and content synchronization (RFC 4533). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { boolean, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import type { RawControl } from '../../src/directory/face/ber/request.ts';
import { csnOf, readSyncCookie, writeSyncCookie } from '../../src/directory/face/follow/sync-cookie.ts';
import { adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import {
  abandonOp,
  addOp,
  bindOp,
  deleteOp,
  extendedOp,
  modifyDnOp,
  modifyOp,
  type RawAnswer,
  RawClient,
  searchOp,
} from './raw-client.ts';

const people = `ou=People,${root}`;
const ann = `cn=Ann,${people}`;
const person = { objectClass: ['top', 'person'], sn: ['x'] };

async function admin(face: Face): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(adminDn, password))).code, 0);
  return client;
}

const persistent = (changeTypes: number, changesOnly: boolean): RawControl => ({
  oid: controlOids.persistentSearch,
  critical: true,
  value: sequence(integer(changeTypes), boolean(changesOnly), boolean(true)),
});

/** Change type and previous name in the entry change notification. */
function changeOf(answer: RawAnswer | undefined): string {
  const reader = new BerReader(answer?.controls.get(controlOids.entryChange) ?? Buffer.alloc(0)).enter(0x30);
  const kind = reader.enumerated();
  return `${kind} ${answer?.name} ${reader.nextTag === 0x04 ? reader.text() : ''}`.trim();
}

test('a persistent search tells each change in its scope', async () => {
  await using face = await startFace();
  using watcher = await admin(face);
  using writer = await admin(face);
  const id = watcher.send(searchOp({ base: people, scope: 1 }), [persistent(15, true)]);
  // The search is open when a request behind it is answered.
  assert.equal((await watcher.ask(searchOp({ base: '' }))).code, 0);
  for (const operation of [
    addOp(`cn=New,${people}`, person),
    addOp(`cn=Outside,${root}`, person),
    modifyOp(`cn=New,${people}`, [2, 'sn', ['y']]),
    modifyDnOp(`cn=New,${people}`, 'cn=Newer'),
    deleteOp(`cn=Newer,${people}`),
  ]) {
    assert.equal((await writer.ask(operation)).code, 0);
  }
  const told: string[] = [];
  while (told.length < 4) told.push(changeOf(await watcher.next()));
  assert.deepEqual(told, [
    `1 cn=New,${people}`,
    `4 cn=New,${people}`,
    `8 cn=Newer,${people} cn=New,${people}`,
    `2 cn=Newer,${people}`,
  ]);
  watcher.send(abandonOp(id));
  assert.equal((await watcher.ask(searchOp({ base: '' }))).code, 0);
  assert.equal((await writer.ask(deleteOp(ann))).code, 0);
  assert.equal((await watcher.ask(searchOp({ base: '' }))).code, 0, 'nothing comes for an abandoned search');
});

test('a persistent search gives the present entries first, and is canceled', async () => {
  await using face = await startFace();
  using watcher = await admin(face);
  const id = watcher.send(searchOp({ base: people, scope: 1 }), [persistent(15, false)]);
  const names: (string | undefined)[] = [];
  while (names.length < 3) names.push((await watcher.next())?.name);
  assert.deepEqual(
    names,
    ['Ann', 'Bob', 'Zoë'].map((cn) => `cn=${cn},${people}`),
  );
  const cancel = watcher.send(extendedOp('1.3.6.1.1.8', sequence(integer(id))));
  const [first, second] = [await watcher.next(), await watcher.next()];
  assert.deepEqual(
    new Map([first, second].map((answer) => [answer?.id, answer?.code])),
    new Map([
      [cancel, 0],
      [id, 118],
    ]),
  );
});

test('change notification of Active Directory tells entries as they change', async () => {
  await using face = await startFace();
  using watcher = await admin(face);
  using writer = await admin(face);
  watcher.send(searchOp({ base: people, scope: 1, attributes: ['sn'] }), [
    { oid: controlOids.notification, critical: true },
  ]);
  assert.equal((await watcher.ask(searchOp({ base: '' }))).code, 0);
  assert.equal((await writer.ask(modifyOp(ann, [2, 'sn', ['y']]))).code, 0);
  const told = await watcher.next();
  assert.deepEqual([told?.name, told?.attributes.get('sn')?.map(String), told?.controls.size], [ann, ['y'], 0]);
});

test('only so many searches stay open', async () => {
  await using face = await startFace({ limits: { maxPersistent: 2 } });
  using watcher = await admin(face);
  for (let i = 0; i < 2; i += 1) watcher.send(searchOp({ base: people, scope: 1 }), [persistent(15, true)]);
  assert.equal((await watcher.ask(searchOp({ base: people, scope: 1 }), [persistent(15, true)])).code, 11);
});

const sync = (mode: 1 | 3, cookie?: Buffer): RawControl => ({
  oid: controlOids.syncRequest,
  critical: true,
  value: sequence(enumerated(mode), ...(cookie === undefined ? [] : [octets(cookie)])),
});

const states = ['present', 'add', 'modify', 'delete'] as const;

interface Told {
  readonly state: (typeof states)[number];
  readonly uuid: string;
  readonly dn: string;
}

function told(answer: RawAnswer): Told {
  const reader = new BerReader(answer.controls.get(controlOids.syncState) ?? Buffer.alloc(0)).enter(0x30);
  const state = states[reader.enumerated()] ?? 'present';
  const uuid = reader.octets().toString('hex');
  return { state, uuid, dn: answer.name ?? '' };
}

/** A consumer as RFC 4533 describes one, keeping names by UUID. */
class Consumer {
  readonly content = new Map<string, string>();
  cookie: Buffer | undefined;
  readonly #client: RawClient;
  readonly #base: string;

  constructor(client: RawClient, base: string) {
    this.#client = client;
    this.#base = base;
  }

  async refresh(): Promise<Told[]> {
    const answers = await this.#client.answers(
      this.#client.send(searchOp({ base: this.#base, scope: 2 }), [sync(1, this.cookie)]),
    );
    const done = answers.pop();
    assert.equal(done?.code, 0);
    const reader = new BerReader(done.controls.get(controlOids.syncDone) ?? Buffer.alloc(0)).enter(0x30);
    this.cookie = Buffer.from(reader.octets());
    const deletesTold = !reader.done && reader.boolean();
    const lines = answers.map(told);
    if (!deletesTold) this.content.clear();
    for (const line of lines) this.apply(line);
    return lines;
  }

  apply({ state, uuid, dn }: Told): void {
    if (state === 'delete') this.content.delete(uuid);
    else this.content.set(uuid, dn);
  }
}

function contentOf(face: Face, base: string): Map<string, string> {
  return new Map([...face.store.search({ base, scope: 'sub' })].map(({ guid, dn }) => [guid.replaceAll('-', ''), dn]));
}

test('refreshes bring a consumer to the same content', async () => {
  await using face = await startFace();
  using client = await admin(face);
  const consumer = new Consumer(client, root);
  assert.equal((await consumer.refresh()).length, 7);
  assert.deepEqual(await consumer.refresh(), []);
  const steps: readonly (readonly [name: string, operations: readonly Buffer[], lines: number])[] = [
    ['an add', [addOp(`cn=New,${people}`, person)], 1],
    ['two changes of one entry', [modifyOp(ann, [2, 'sn', ['y']]), modifyOp(ann, [2, 'sn', ['z']])], 1],
    ['a rename', [modifyDnOp(ann, 'cn=Anna')], 1],
    ['a delete', [deleteOp(`cn=Bob,${people}`)], 1],
    ['an entry that came and went', [addOp(`cn=Brief,${root}`, person), deleteOp(`cn=Brief,${root}`)], 1],
    ['a subtree that moves', [modifyDnOp(people, 'ou=Staff')], 4],
  ];
  for (const [name, operations, lines] of steps) {
    for (const operation of operations) assert.equal((await client.ask(operation)).code, 0, name);
    assert.equal((await consumer.refresh()).length, lines, name);
    assert.deepEqual(consumer.content, contentOf(face, root), name);
  }
});

test('what leaves the scope is told as deleted, what comes into it as there', async () => {
  await using face = await startFace();
  using client = await admin(face);
  const consumer = new Consumer(client, people);
  await consumer.refresh();
  assert.equal((await client.ask(modifyDnOp(ann, 'cn=Ann', true, root))).code, 0);
  assert.deepEqual(
    (await consumer.refresh()).map(({ state }) => state),
    ['delete'],
  );
  assert.equal((await client.ask(modifyDnOp(`cn=Ann,${root}`, 'cn=Ann', true, people))).code, 0);
  await consumer.refresh();
  assert.deepEqual(consumer.content, contentOf(face, people));
});

test('a cookie from the future, or of nobody, brings everything', async () => {
  await using face = await startFace();
  using client = await admin(face);
  for (const cookie of [writeSyncCookie('001', 1_000_000), Buffer.from('nonsense'), Buffer.from([0xff, 0])]) {
    const consumer = new Consumer(client, root);
    consumer.cookie = cookie;
    assert.equal((await consumer.refresh()).length, 7);
    assert.deepEqual(consumer.content, contentOf(face, root));
  }
});

test('refresh and persist', async () => {
  await using face = await startFace();
  using follower = await admin(face);
  using writer = await admin(face);
  const consumer = new Consumer(follower, root);
  const id = follower.send(searchOp({ base: root, scope: 2 }), [sync(3)]);
  for (;;) {
    const answer = await follower.next();
    assert.ok(answer?.id === id);
    if (answer.tag === 0x79) {
      assert.equal(answer.name, '1.3.6.1.4.1.4203.1.9.1.4');
      break;
    }
    consumer.apply(told(answer));
  }
  assert.deepEqual(consumer.content, contentOf(face, root));
  for (let i = 0; i < 50; i += 1) assert.equal((await writer.ask(addOp(`cn=p${i},${root}`, person))).code, 0);
  assert.equal((await writer.ask(deleteOp(ann))).code, 0);
  assert.equal((await writer.ask(modifyDnOp(people, 'ou=Staff'))).code, 0);
  let last = 0;
  while (last < face.store.usn) {
    const answer = await follower.next();
    assert.ok(answer);
    if (answer.tag === 0x79)
      last = readSyncCookie(new BerReader(answer.value ?? Buffer.alloc(0)).octets(0x80)).usn ?? 0;
    else consumer.apply(told(answer));
  }
  assert.deepEqual(consumer.content, contentOf(face, root));
});

test('an entry comes after its ancestors, however they were changed', async () => {
  await using face = await startFace();
  using client = await admin(face);
  const consumer = new Consumer(client, root);
  await consumer.refresh();
  for (const operation of [
    addOp(`ou=Top,${root}`, { objectClass: ['top', 'organizationalUnit'] }),
    addOp(`ou=Middle,ou=Top,${root}`, { objectClass: ['top', 'organizationalUnit'] }),
    addOp(`cn=Leaf,ou=Middle,ou=Top,${root}`, person),
    modifyOp(`ou=Middle,ou=Top,${root}`, [2, 'description', ['later']]),
    modifyOp(`ou=Top,${root}`, [2, 'description', ['last']]),
  ]) {
    assert.equal((await client.ask(operation)).code, 0);
  }
  const order = (await consumer.refresh()).map(({ dn }) => dn.split(',')[0]);
  assert.deepEqual(order, ['ou=Top', 'ou=Middle', 'cn=Leaf']);
});

test('cookies keep the number, and grow with it as text', () => {
  const numbers = [0, 1, 999, 1000, 59_999_999, 2 ** 31, 2 ** 40];
  for (const usn of numbers) assert.deepEqual(readSyncCookie(writeSyncCookie('007', usn)), { rid: '007', usn });
  const csns = numbers.map(csnOf);
  assert.deepEqual(csns, csns.toSorted());
  assert.match(csns[0] ?? '', /^\d{14}\.\d{6}Z#[0-9a-f]{6}#[0-9a-f]{3}#[0-9a-f]{6}$/);
});

test('whoever may not see everything follows no changes of everything', async () => {
  await using face = await startFace();
  using client = await RawClient.connect(face.port);
  await client.ask(bindOp(userDn, password));
  assert.equal((await client.ask(searchOp({ base: root, scope: 2 }), [sync(1)])).code, 32);
  for (const control of [sync(1), sync(3), persistent(15, false)]) {
    assert.equal((await client.ask(searchOp({ base: '', scope: 2 }), [control])).code, 50);
  }
});
