import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { boolean, element, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import type { RawControl } from '../../src/directory/face/ber/request.ts';
import { sortGently } from '../../src/directory/face/operations/sorted-search.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import { addEntry, adminDn, type Face, password, root, startFace } from './face.ts';
import {
  abandonOp,
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  entryOf,
  equality,
  extendedOp,
  message,
  modifyDnOp,
  modifyOp,
  type RawAnswer,
  RawClient,
  type RawSearch,
  searchOp,
} from './raw-client.ts';

let face: Face;
const people = `ou=People,${root}`;
const ann = `cn=Ann,${people}`;
/** Octets that are no UTF-8, with those that filters as text would have to escape. */
const blob = Buffer.from([0xff, 0x00, 0x2a, 0x5c, 0x28, 0x29, 0x80, 0xfe]);

before(async () => {
  face = await startFace();
  await addEntry(face.store, `ou=Many,${root}`, { objectClass: ['top', 'organizationalUnit'] });
  for (let i = 0; i < 250; i += 1) {
    await addEntry(face.store, `cn=n${i},ou=Many,${root}`, { objectClass: ['top', 'person'], sn: `s${(i * 7) % 250}` });
  }
});
after(() => face[Symbol.asyncDispose]());

async function admin(to: Face = face): Promise<RawClient> {
  const client = await RawClient.connect(to.port);
  assert.equal((await client.ask(bindOp(adminDn, password))).code, 0);
  return client;
}

async function search(client: RawClient, what: RawSearch, controls: readonly RawControl[] = []): Promise<RawAnswer[]> {
  return client.answers(client.send(searchOp(what), controls));
}

const names = (answers: readonly RawAnswer[]): (string | undefined)[] =>
  answers.filter(({ tag }) => tag === 0x64).map(({ name }) => name);
const text = (answer: RawAnswer | undefined, attribute: string): string[] =>
  (answer?.attributes.get(attribute) ?? []).map((value) => value.toString('utf8'));

const selections: readonly (readonly [asked: readonly string[], has: readonly string[], lacks: readonly string[]])[] = [
  [[], ['cn', 'sn', 'mail', 'objectClass'], ['entryUUID', 'createTimestamp']],
  [['*'], ['cn', 'sn'], ['entryUUID']],
  [['+'], ['entryUUID', 'createTimestamp', 'hasSubordinates', 'subschemaSubentry', 'entryDN'], ['cn', 'sn']],
  [['*', '+'], ['cn', 'entryUUID'], []],
  [['1.1'], [], ['cn', 'objectClass', 'entryUUID']],
  [['1.1', 'sn'], ['sn'], ['cn']],
  [['SN'], ['sn'], ['cn']],
  [['surname'], ['sn'], ['cn']],
  [['2.5.4.4'], ['sn'], ['cn']],
  [['name'], ['cn', 'sn', 'name;lang-fr'], ['mail']],
  [['name;lang-fr'], ['name;lang-fr'], ['cn', 'sn']],
  [['@person'], ['cn', 'sn', 'objectClass'], ['mail']],
  [['unheardOf'], [], ['cn']],
  [['entryUUID'], ['entryUUID'], ['cn']],
];

test('attributes are selected as asked', async (t) => {
  await using own = await startFace();
  using client = await admin(own);
  const changed = await client.ask(modifyOp(ann, [0, 'description;lang-fr', ['texte']]));
  assert.equal(changed.code, 0);
  for (const [asked, has, lacks] of selections) {
    await t.test(JSON.stringify(asked), async () => {
      const swap = (name: string): string => name.replace('name;lang-fr', 'description;lang-fr');
      const wanted = asked.map((name) => (name.includes(';') ? swap(name) : name));
      const [entry] = await search(client, { base: ann, attributes: wanted });
      const sent = [...(entry?.attributes.keys() ?? [])];
      for (const name of has)
        if (name !== 'name;lang-fr' || asked.includes(name)) assert.ok(sent.includes(swap(name)), `${name} is missing`);
      for (const name of lacks) assert.ok(!sent.includes(name), `${name} was sent`);
    });
  }
});

test('typesOnly sends no value', async () => {
  using client = await admin();
  const [entry] = await search(client, { base: ann, typesOnly: true });
  assert.deepEqual(text(entry, 'sn'), []);
  assert.ok(entry?.attributes.has('sn'));
});

for (const [scope, expected] of [
  [0, [people]],
  [1, ['Ann', 'Bob', 'Zoë'].map((cn) => `cn=${cn},${people}`)],
  [2, [people, ...['Ann', 'Bob', 'Zoë'].map((cn) => `cn=${cn},${people}`)]],
  [3, ['Ann', 'Bob', 'Zoë'].map((cn) => `cn=${cn},${people}`)],
] as const) {
  test(`scope ${scope}`, async () => {
    using client = await admin();
    assert.deepEqual(names(await search(client, { base: people.toUpperCase(), scope })), expected);
  });
}

test('octets come back from every operation as they were sent', async () => {
  await using own = await startFace();
  using client = await admin(own);
  const dn = `cn=Key,${people}`;
  const values = { objectClass: ['top', 'edgeRecipient'], edgeHashedAddress: [blob] };
  assert.equal((await client.ask(addOp(dn, values))).code, 0);
  const other = Buffer.concat([blob, blob]);
  assert.equal((await client.ask(modifyOp(dn, [0, 'edgeHashedAddress', [other]]))).code, 0);
  assert.equal((await client.ask(compareOp(dn, 'edgeHashedAddress', other))).code, 6);
  const [entry] = await search(client, { base: root, scope: 2, filter: equality('edgeHashedAddress', blob) });
  assert.deepEqual(entry?.attributes.get('edgeHashedAddress'), [blob, other]);
  assert.equal((await client.ask(modifyOp(dn, [1, 'edgeHashedAddress', [blob]]))).code, 0);
  assert.deepEqual((await search(client, { base: dn }))[0]?.attributes.get('edgeHashedAddress'), [other]);
});

test('increment', async () => {
  await using own = await startFace();
  using client = await admin(own);
  assert.equal((await client.ask(modifyOp(ann, [2, 'userAccountControl', ['5']]))).code, 0);
  assert.equal((await client.ask(modifyOp(ann, [3, 'userAccountControl', ['-7']]))).code, 0);
  assert.deepEqual(text((await search(client, { base: ann }))[0], 'userAccountControl'), ['-2']);
});

const page = (size: number, cookie: Buffer | string = ''): RawControl => ({
  oid: controlOids.paged,
  critical: true,
  value: sequence(integer(size), octets(cookie)),
});

function cookieOf(answers: readonly RawAnswer[]): Buffer {
  const reader = new BerReader(answers.at(-1)?.controls.get(controlOids.paged) ?? Buffer.alloc(0)).enter(0x30);
  reader.integer();
  return reader.octets();
}

test('pages hold everything once, in any size', async () => {
  using client = await admin();
  const whole = names(await search(client, { base: `ou=Many,${root}`, scope: 1 }));
  assert.equal(whole.length, 250);
  for (const size of [1, 49, 50, 250, 251, 10_000]) {
    const found: (string | undefined)[] = [];
    let cookie = Buffer.alloc(0);
    let pages = 0;
    do {
      const answers = await search(client, { base: `ou=Many,${root}`, scope: 1 }, [page(size, cookie)]);
      found.push(...names(answers));
      cookie = Buffer.from(cookieOf(answers));
      pages += 1;
      assert.ok(names(answers).length <= size);
    } while (cookie.length > 0);
    assert.deepEqual(found, whole);
    assert.equal(pages, Math.ceil(250 / size));
  }
});

test('a paged search ends when its client says so, and an old cookie is refused', async () => {
  using client = await admin();
  const what = { base: `ou=Many,${root}`, scope: 1 };
  const first = cookieOf(await search(client, what, [page(10)]));
  const second = cookieOf(await search(client, what, [page(10, first)]));
  assert.equal((await search(client, what, [page(10, first)])).at(-1)?.code, 53);
  assert.equal((await search(client, { ...what, scope: 2 }, [page(10, second)])).at(-1)?.code, 53);
  const ended = await search(client, what, [page(0, second)]);
  assert.deepEqual([names(ended), cookieOf(ended).length, ended.at(-1)?.code], [[], 0, 0]);
  assert.equal((await search(client, what, [page(10, second)])).at(-1)?.code, 53);
});

test('the size limit of the client counts over all pages', async () => {
  using client = await admin();
  const what = { base: `ou=Many,${root}`, scope: 1, sizeLimit: 15 };
  const first = await search(client, what, [page(10)]);
  const second = await search(client, what, [page(10, cookieOf(first))]);
  assert.deepEqual([names(first).length, names(second).length], [10, 5]);
  assert.deepEqual([second.at(-1)?.code, cookieOf(second).length], [4, 0]);
});

test('a cookie is of no use to another connection, and bound again to the same one', async () => {
  using client = await admin();
  using other = await admin();
  const what = { base: `ou=Many,${root}`, scope: 1 };
  const cookie = cookieOf(await search(client, what, [page(10)]));
  assert.equal((await search(other, what, [page(10, cookie)])).at(-1)?.code, 53);
  assert.equal((await client.ask(bindOp(adminDn, password))).code, 0);
  assert.equal((await search(client, what, [page(10, cookie)])).at(-1)?.code, 53);
});

const sortBy = (attribute: string, { reverse = false, critical = true, rule = '' } = {}): RawControl => ({
  oid: controlOids.sortRequest,
  critical,
  value: sequence(
    sequence(
      octets(attribute),
      ...(rule === '' ? [] : [octets(rule, 0x80)]),
      ...(reverse ? [boolean(true, 0x81)] : []),
    ),
  ),
});

test('sorted, forwards and back, and in pages', async () => {
  using client = await admin();
  const what = { base: `ou=Many,${root}`, scope: 1, attributes: ['sn'] };
  const order = (answers: readonly RawAnswer[]): string[] => answers.flatMap((answer) => text(answer, 'sn'));
  const sorted = order(await search(client, what, [sortBy('sn')]));
  assert.deepEqual(sorted, Array.from({ length: 250 }, (_, i) => `s${i}`).sort());
  assert.deepEqual(order(await search(client, what, [sortBy('sn', { reverse: true })])), sorted.toReversed());
  const firstPage = await search(client, what, [sortBy('sn'), page(20)]);
  assert.deepEqual(order(firstPage), sorted.slice(0, 20));
  assert.ok(firstPage.at(-1)?.controls.has(controlOids.sortResponse));
  assert.deepEqual(
    order(await search(client, what, [sortBy('sn'), page(20, cookieOf(firstPage))])),
    sorted.slice(20, 40),
  );
});

for (const [name, control, code, sortResult, sent] of [
  ['an unknown attribute', sortBy('unheardOf', { critical: false }), 0, 16, 3],
  ['an unknown attribute, critical', sortBy('unheardOf'), 12, 16, 0],
  ['an unknown rule', sortBy('sn', { rule: '1.2.3', critical: false }), 0, 18, 3],
] as const) {
  test(`sorting by ${name}`, async () => {
    using client = await admin();
    const answers = await search(client, { base: people, scope: 1 }, [control]);
    const result = new BerReader(answers.at(-1)?.controls.get(controlOids.sortResponse) ?? Buffer.alloc(0)).enter(0x30);
    assert.deepEqual([answers.at(-1)?.code, result.enumerated(), names(answers).length], [code, sortResult, sent]);
  });
}

test('so much is sorted at once and no more, and what was held is given back', async () => {
  await using own = await startFace({ limits: { maxSortedInAll: 4 } });
  using client = await admin(own);
  const sorted = async (base: string, critical: boolean, more: readonly RawControl[] = []): Promise<RawAnswer[]> => {
    const control = { oid: controlOids.sortRequest, critical, value: sequence(sequence(octets('sn'))) };
    return client.answers(client.send(searchOp({ base, scope: 2 }), [control, ...more]));
  };
  for (let i = 0; i < 3; i += 1) assert.equal((await sorted(people, true)).at(-1)?.code, 0, 'four entries');
  assert.equal((await sorted(root, true)).at(-1)?.code, 12, 'seven entries');
  assert.equal((await sorted(root, false)).length, 8, 'as they come');
  const page = { oid: controlOids.paged, critical: true, value: sequence(integer(1), octets('')) };
  assert.equal((await sorted(people, true, [page])).at(-1)?.code, 0);
  assert.equal((await sorted(people, true)).at(-1)?.code, 12, 'the paged search holds them');
  assert.equal((await client.ask(bindOp(adminDn, password))).code, 0);
  assert.equal((await sorted(people, true)).at(-1)?.code, 0, 'a bind ends paged searches');
});

test('sorting gives way, and keeps the order of equals', async () => {
  const items = Array.from({ length: 60_000 }, (_, i) => ({ key: (i * 7919) % 1000, i }));
  let others = 0;
  let over = false;
  const other = (): void => {
    others += 1;
    if (!over) setImmediate(other);
  };
  setImmediate(other);
  const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
  const sorted = await sortGently(items, compare, new AbortController().signal);
  over = true;
  assert.deepEqual(sorted, items.toSorted(compare));
  assert.ok(others > 1, `${others} times only`);
  const ended = AbortSignal.abort('ended');
  await assert.rejects(sortGently(items, compare, ended), (reason) => reason === 'ended');
});

test('pre-read and post-read', async () => {
  await using own = await startFace();
  using client = await admin(own);
  const selection = sequence(octets('sn'), octets('entryUUID'));
  const controls = [controlOids.preRead, controlOids.postRead].map((oid) => ({
    oid,
    critical: true,
    value: selection,
  }));
  const changed = await client.ask(modifyOp(ann, [2, 'sn', ['Changed']]), controls);
  const sent = (oid: string) => entryOf(new BerReader(changed.controls.get(oid) ?? Buffer.alloc(0)).enter(0x64));
  assert.equal(sent(controlOids.preRead).attributes.get('sn')?.join(), 'Archer');
  assert.equal(sent(controlOids.postRead).attributes.get('sn')?.join(), 'Changed');
  const [before] = controls;
  assert.ok(before);
  const gone = await client.ask(deleteOp(ann), [before]);
  assert.equal(entryOf(new BerReader(gone.controls.get(controlOids.preRead) ?? Buffer.alloc(0)).enter(0x64)).name, ann);
  const renamed = await client.ask(modifyDnOp(`cn=Bob,${people}`, 'cn=Rob'), controls);
  assert.equal(
    entryOf(new BerReader(renamed.controls.get(controlOids.postRead) ?? Buffer.alloc(0)).enter(0x64)).name,
    `cn=Rob,${people}`,
  );
});

test('deleted entries are shown on request only', async () => {
  await using own = await startFace();
  using client = await admin(own);
  assert.equal((await client.ask(deleteOp(ann))).code, 0);
  const filter = equality('isDeleted', 'TRUE');
  assert.equal((await search(client, { base: root, scope: 2, filter })).length, 1);
  const shown = await search(client, { base: root, scope: 2, filter }, [
    { oid: controlOids.showDeleted, critical: true },
  ]);
  assert.equal(names(shown).length, 1);
});

test('a subtree moves with what is below it', async () => {
  await using own = await startFace();
  using client = await admin(own);
  await addEntry(own.store, `ou=New,${root}`, { objectClass: ['top', 'organizationalUnit'] });
  assert.equal((await client.ask(modifyDnOp(people, 'ou=Staff', true, `ou=New,${root}`))).code, 0);
  assert.deepEqual(names(await search(client, { base: `ou=New,${root}`, scope: 2 })), [
    `ou=New,${root}`,
    `ou=Staff,ou=New,${root}`,
    ...['Ann', 'Bob', 'Zoë'].map((cn) => `cn=${cn},ou=Staff,ou=New,${root}`),
  ]);
});

test('requests behind a bind are answered after it, as the one who bound', async () => {
  using client = await RawClient.connect(face.port);
  const bound = client.send(bindOp(adminDn, password));
  const asked = client.send(searchOp({ base: people }));
  const order = [await client.next(), await client.next(), await client.next()];
  assert.deepEqual(
    order.map((answer) => answer?.id),
    [bound, asked, asked],
  );
  assert.deepEqual(
    order.map((answer) => answer?.code),
    [0, undefined, 0],
  );
});

test('a bind waits for what is under way', async () => {
  using client = await admin();
  const asked = client.send(searchOp({ base: root, scope: 2 }));
  const bound = client.send(bindOp('', ''));
  const answers = await client.answers(bound);
  assert.equal(answers.find(({ id, code }) => id === asked && code !== undefined)?.code, 0);
  assert.equal((await client.ask(searchOp({ base: people }))).code, 50);
});

test('a failed bind leaves the connection anonymous', async () => {
  using client = await admin();
  assert.equal((await client.ask(bindOp(adminDn, 'wrong'))).code, 49);
  const who = await client.ask(extendedOp('1.3.6.1.4.1.4203.1.11.3'));
  assert.equal(who.value?.toString(), '');
});

/** A search that takes long: every candidate is tested and none fits. */
const longSearch = (i: number): Buffer => {
  const none = Array.from({ length: 15_000 }, (_, n) => equality('description', `${i} ${n}`));
  return searchOp({ base: root, scope: 2, filter: element(0xa1, ...none) });
};

test('an abandoned search is never answered, and a canceled one with canceled', async () => {
  using client = await admin();
  const abandoned = client.send(longSearch(1));
  const canceled = client.send(longSearch(2));
  client.send(abandonOp(abandoned));
  const cancel = client.send(extendedOp('1.3.6.1.1.8', sequence(integer(canceled))));
  const last = client.send(searchOp({ base: '' }));
  const answers: RawAnswer[] = [];
  while (new Set(answers.filter(({ code }) => code !== undefined).map(({ id }) => id)).size < 3) {
    const answer = await client.next();
    assert.ok(answer);
    answers.push(answer);
  }
  const codes = new Map(answers.map(({ id, code }) => [id, code]));
  assert.deepEqual([codes.get(canceled), codes.get(cancel), codes.get(last), codes.has(abandoned)], [118, 0, 0, false]);
});

test('a write that is under way is not canceled', async () => {
  await using own = await startFace();
  using client = await admin(own);
  const [write, cancel] = [101, 102];
  // In one piece: the write is not on disk when the cancel is read.
  const both = [modifyOp(ann, [2, 'sn', ['late']]), extendedOp('1.3.6.1.1.8', sequence(integer(write)))];
  client.socket.write(Buffer.concat(both.map((operation, i) => message(write + i, operation))));
  const codes = new Map<number, number | undefined>();
  for (let i = 0; i < 2; i += 1) {
    const answer = await client.next();
    codes.set(answer?.id ?? 0, answer?.code);
  }
  assert.deepEqual([codes.get(write), codes.get(cancel)], [0, 120]);
});

test('a search without time left says so', async () => {
  await using own = await startFace({ limits: { maxSearchMs: 1 } });
  using client = await admin(own);
  for (let i = 0; i < 300; i += 1) {
    await addEntry(own.store, `cn=m${i},${root}`, {
      objectClass: ['top', 'person'],
      sn: 'x',
      description: 'x'.repeat(500),
    });
  }
  assert.equal((await client.ask(longSearch(3))).code, 3);
});

test('one is served while others have hundreds of long searches under way', async () => {
  const heavy = await Promise.all(Array.from({ length: 4 }, () => admin()));
  using light = await admin();
  const none = Array.from({ length: 150 }, (_, n) => equality('description', String(n)));
  const long = searchOp({ base: root, scope: 2, filter: element(0xa1, ...none) });
  for (const client of heavy) for (let i = 0; i < 100; i += 1) client.send(long);
  const ask = async (): Promise<void> => {
    assert.equal((await light.ask(searchOp({ base: ann }))).code, 0);
  };
  // When this is answered they are begun.
  await ask();
  // A slice of each of the 400 would be some 1.6 s.
  const worked = cpuTime();
  await ask();
  assert.ok(worked() < 400, `${worked()} ms of work`);
  for (const client of heavy) client.socket.destroy();
});

test('others are served while one searches long', async () => {
  using heavy = await admin();
  using light = await RawClient.connect(face.port);
  const long = heavy.send(longSearch(4));
  let served = 0;
  let over = false;
  const end = heavy.answers(long).then(() => (over = true));
  while (!over && served < 3) {
    assert.equal((await light.ask(searchOp({ base: '' }))).code, 0);
    served += 1;
  }
  assert.ok(!over, 'the long search was over before the others were served');
  heavy.send(abandonOp(long));
  heavy.socket.destroy();
  await end.catch(() => undefined);
});
