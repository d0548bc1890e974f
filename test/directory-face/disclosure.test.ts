/** Nothing is learnt of what may not be read: by order, count, pages, or by following changes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { boolean, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import { addEntry, adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import { bindOp, deleteOp, modifyOp, type RawAnswer, RawClient, searchOp } from './raw-client.ts';

const folder = `ou=Mixed,${root}`;
const personOf = (cn: string): string => `cn=${cn},${folder}`;
/** `shown` may be seen, but not their description; `hidden` may not be seen. */
const people = [
  ['shown1', 'person', 'z'],
  ['hidden', 'device', 'm'],
  ['shown2', 'person', 'a'],
  ['shown3', 'person', 'k'],
] as const;

let face: Face;
before(async () => {
  face = await startFace({ limits: { maxSortedEntries: 3 } });
  await addEntry(face.store, folder, {
    objectClass: ['organizationalUnit', 'edgeAccessControl'],
    edgeAccessRule: [
      `allow read on cn,sn,objectClass of person below to dn ${userDn}`,
      `allow read on ou,objectClass of organizationalUnit to dn ${userDn}`,
    ],
  });
  for (const [cn, objectClass, description] of people)
    await addEntry(face.store, personOf(cn), {
      objectClass,
      description,
      ...(objectClass === 'person' && { sn: 'x' }),
    });
});
after(() => face[Symbol.asyncDispose]());

async function bound(dn: string): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

const namesOf = (answers: readonly RawAnswer[]): (string | undefined)[] =>
  answers.flatMap(({ tag, name }) => (tag === 0x64 ? [name] : []));

const sortBy = (attribute: string): { oid: string; critical: boolean; value: Buffer } => ({
  oid: controlOids.sortRequest,
  critical: true,
  value: sequence(sequence(octets(attribute))),
});

test('a secret does not show in the order, nor what is hidden in how much can be sorted', async () => {
  using user = await bound(userDn);
  const search = searchOp({ base: folder, scope: 1, attributes: ['cn'] });
  const byName = namesOf(await user.answers(user.send(search, [sortBy('cn')])));
  assert.equal(byName.length, 3, 'four entries would be too many');
  assert.deepEqual(
    namesOf(await user.answers(user.send(search, [sortBy('description')]))),
    namesOf(await user.answers(user.send(search))),
  );
});

test('hidden entries are in no count and no page', async () => {
  using user = await bound(userDn);
  const limited = await user.answers(user.send(searchOp({ base: folder, scope: 1, sizeLimit: 3 })));
  assert.equal(limited.at(-1)?.code, 0, 'there is a fourth one, but nobody says so');
  const page = { oid: controlOids.paged, critical: true, value: sequence(integer(3), octets('')) };
  const paged = (await user.answers(user.send(searchOp({ base: folder, scope: 1 }), [page]))).at(-1);
  assert.equal(paged?.controls.get(controlOids.paged)?.subarray(7).length, 0, 'no further page');
  for (const attribute of ['hasSubordinates', 'numSubordinates']) {
    const [entry] = await user.answers(user.send(searchOp({ base: folder, attributes: [attribute] })));
    assert.equal(entry?.attributes.size, 0, attribute);
  }
});

const secretChange = (cn: string): Buffer => modifyOp(personOf(cn), [2, 'description', [`${Math.random()}`]]);
const openChange = (cn: string): Buffer => modifyOp(personOf(cn), [2, 'sn', [`${Math.random()}`]]);

/** Each way to follow, with the control that begins it. */
const ways = {
  'persistent search': {
    oid: controlOids.persistentSearch,
    value: sequence(integer(15), boolean(true), boolean(false)),
  },
  'content synchronization': { oid: controlOids.syncRequest, value: sequence(integer(3, 0x0a)) },
} as const;

for (const [way, { oid, value }] of Object.entries(ways)) {
  test(`${way} says nothing of changes that may not be seen`, async () => {
    using user = await bound(userDn);
    using admin = await bound(adminDn);
    user.send(searchOp({ base: folder, scope: 2 }), [{ oid, critical: true, value }]);
    if (way !== 'persistent search') while ((await user.next())?.tag !== 0x79);
    else assert.equal((await user.ask(searchOp({ base: folder }))).code, 0);
    for (const operation of [secretChange('shown1'), secretChange('hidden'), openChange('shown2')])
      assert.equal((await admin.ask(operation)).code, 0);
    const told = await user.next();
    assert.deepEqual([told?.tag, told?.name], [0x64, personOf('shown2')]);
  });
}

test('DirSync says nothing of changes that may not be seen, nor of hidden entries that are deleted', async () => {
  using user = await bound(userDn);
  using admin = await bound(adminDn);
  const read = async (cookie: Buffer): Promise<RawAnswer[]> => {
    const control = {
      oid: controlOids.dirSync,
      critical: true,
      value: sequence(integer(0), integer(0), octets(cookie)),
    };
    return user.answers(
      user.send(searchOp({ base: folder, scope: 2, attributes: ['cn', 'sn', 'description'] }), [control]),
    );
  };
  const first = (await read(Buffer.alloc(0))).at(-1)?.controls.get(controlOids.dirSync) ?? Buffer.alloc(0);
  const cookie = first.subarray(-12);
  await addEntry(face.store, personOf('hidden2'), { objectClass: 'device' });
  await addEntry(face.store, personOf('gone'), { objectClass: 'person', sn: 'x' });
  for (const operation of [
    secretChange('shown1'),
    secretChange('hidden'),
    deleteOp(personOf('hidden2')),
    deleteOp(personOf('gone')),
  ])
    assert.equal((await admin.ask(operation)).code, 0);
  const names = namesOf(await read(cookie));
  assert.equal(names.length, 1, names.join(' '));
  assert.match(names[0] ?? '', /^cn=gone/);
});

test('every attribute that the schema marks as secret has no index: a search would tell of it by its time', () => {
  const secrets = face.store.schema.attributeTypes.filter(({ access }) => access === 'secret');
  assert.ok(secrets.length >= 5);
  for (const { name, indexes } of secrets) assert.deepEqual(indexes, [], name);
});
