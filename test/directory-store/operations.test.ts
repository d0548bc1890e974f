import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, DirectoryStore } from '../../src/directory/index.ts';
import { parseFilter } from '../../src/ldap/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';
import { admin, asProduct, attributes, emptyStore, smallStore } from './store-for-test.ts';

const jane = 'cn=Jane,ou=People,o=x';
const b = (text: string): Buffer => Buffer.from(text);

test('operational attributes are kept and computed', async () => {
  await using small = await smallStore();
  const { store, clock } = small;
  const entry = store.get('CN=JANE, ou=people, o=X');
  assert.ok(entry);
  const first = Object.fromEntries(entry.attributes.map((name) => [name, entry.values(name).join('|')]));
  assert.partialDeepStrictEqual(first, {
    objectClass: 'top|person|organizationalPerson|inetOrgPerson',
    structuralObjectClass: 'inetOrgPerson',
    creatorsName: 'CN=Admin',
    modifiersName: 'CN=Admin',
    createTimestamp: '20260102030405Z',
    whenCreated: '20260102030405.0Z',
    modifyTimestamp: '20260102030405Z',
    entryDN: jane,
    distinguishedName: jane,
    canonicalName: '/x/People/Jane',
    subschemaSubentry: 'cn=schema',
    hasSubordinates: 'FALSE',
    numSubordinates: '0',
    uSNCreated: '4',
    uSNChanged: '4',
    entryUUID: entry.guid,
  });
  assert.match(entry.guid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(entry.buffers('objectGUID')[0]?.length, 16);
  assert.equal(store.byGuid(entry.guid)?.dn, jane);
  assert.equal(store.byGuid('nonsense'), undefined);
  clock.ms += 5_000;
  const { before, after } = await store.modify(jane, [{ operation: 'add', attribute: 'surname', values: [b('D2')] }], {
    actor: 'CN=Other',
  });
  assert.deepEqual(before?.values('sn'), ['Doe']);
  assert.deepEqual(after?.values('2.5.4.4'), ['Doe', 'D2']);
  assert.deepEqual(
    [after?.values('whenChanged')[0], after?.values('modifiersName')[0], after?.values('creatorsName')[0]],
    ['20260102030410.0Z', 'CN=Other', 'CN=Admin'],
  );
  assert.equal(after?.guid, entry.guid);
  const people = store.get('ou=People,o=x');
  assert.deepEqual([people?.values('hasSubordinates'), people?.values('numSubordinates')], [['TRUE'], ['2']]);
  assert.deepEqual(store.get('o=x')?.values('numSubordinates'), ['2']);
});

test('values keep their octets, names their spelling', async () => {
  await using small = await smallStore();
  const { store } = small;
  const photo = Buffer.from([0, 255, 42, 40, 92, 10, 13, 0xc3]);
  await store.modify(
    jane,
    [
      { operation: 'add', attribute: 'jpegPhoto', values: [photo] },
      { operation: 'add', attribute: 'CN;LANG-de', values: [b('  Hanna  ')] },
    ],
    admin,
  );
  const entry = store.get(jane);
  assert.deepEqual(entry?.buffers('jpegPhoto'), [photo]);
  assert.deepEqual(entry?.values('cn;lang-DE'), ['  Hanna  ']);
  assert.deepEqual(entry?.values('cn'), ['Jane']);
  await store.add('CN=Weird\\, Name\\0A + SN=Two , OU=people,O=x', attributes({ objectClass: 'person' }), admin);
  const weird = store.get('sn=two+cn=weird\\, name\\0A,ou=People,o=x');
  assert.equal(weird?.dn, 'CN=Weird\\, Name\\0A+SN=Two,ou=People,o=x');
  assert.deepEqual([weird?.values('cn'), weird?.values('sn')], [['Weird, Name\n'], ['Two']]);
});

test('steps of a modify see each other, in order', async () => {
  await using small = await smallStore();
  const { store } = small;
  await store.modify(
    jane,
    [
      { operation: 'delete', attribute: 'mail', values: [] },
      { operation: 'add', attribute: 'mail', values: [b('a@x')] },
      { operation: 'add', attribute: 'mail', values: [b('b@x')] },
      { operation: 'delete', attribute: 'mail', values: [b('A@X')] },
      { operation: 'replace', attribute: 'title', values: [] },
      { operation: 'replace', attribute: 'systemFlags', values: [b('9223372036854775806')] },
      { operation: 'increment', attribute: 'systemFlags', values: [b('3')] },
      { operation: 'increment', attribute: 'systemFlags', values: [b('-10')] },
    ],
    admin,
  );
  const entry = store.get(jane);
  assert.deepEqual([entry?.values('mail'), entry?.values('systemFlags')], [['b@x'], ['9223372036854775799']]);
});

test('a rename moves everything below, and finds it by its new name only', async () => {
  await using small = await smallStore();
  const { store } = small;
  await store.add('cn=Deep,cn=Jane,ou=People,o=x', attributes({ objectClass: 'container' }), admin);
  const guid = store.get('cn=deep,cn=jane,ou=people,o=x')?.guid ?? '';
  await store.modifyDn('ou=People,o=x', { newRdn: 'OU=Folk', deleteOldRdn: true, newSuperior: 'ou=Other,o=x' }, admin);
  assert.equal(store.get(jane), undefined);
  const deep = store.get('cn=deep,cn=jane,ou=folk,ou=other,o=x');
  assert.equal(deep?.dn, 'cn=Deep,cn=Jane,OU=Folk,ou=Other,o=x');
  assert.equal(store.byGuid(guid)?.dn, deep.dn);
  assert.deepEqual(store.get('ou=folk,ou=other,o=x')?.values('ou'), ['Folk']);
  assert.deepEqual(
    [...store.search({ base: 'ou=Other,o=x', scope: 'sub', filter: parseFilter('(mail=jane@x.example)') })].map(
      ({ dn }) => dn,
    ),
    ['cn=Jane,OU=Folk,ou=Other,o=x'],
  );
  await store.modifyDn('OU=Folk,ou=Other,o=x', { newRdn: 'ou=FOLK', deleteOldRdn: false }, admin);
  assert.equal(store.get('ou=folk,ou=other,o=x')?.dn, 'ou=FOLK,ou=Other,o=x');
  assert.deepEqual(store.verify(), []);
});

test('the old value stays unless it is to be deleted', async () => {
  await using small = await smallStore();
  const { store } = small;
  await store.modifyDn(jane, { newRdn: 'cn=Janet', deleteOldRdn: false }, admin);
  assert.deepEqual(store.get('cn=janet,ou=People,o=x')?.values('cn'), ['Jane', 'Janet']);
  await store.modifyDn('cn=Janet,ou=People,o=x', { newRdn: 'cn=Jane', deleteOldRdn: true }, admin);
  assert.deepEqual(store.get(jane)?.values('cn'), ['Jane']);
});

test('a subtree is deleted with all below, leaving tombstones for their time', async () => {
  await using small = await smallStore();
  const { store, clock } = small;
  const guid = store.get(jane)?.guid ?? '';
  const { usn } = await store.delete('ou=People,o=x', { ...admin, subtree: true });
  assert.deepEqual(
    [...store.search({ base: 'o=x', scope: 'sub' })].map(({ dn }) => dn),
    ['o=x', 'ou=Other,o=x'],
  );
  assert.equal(store.get(jane), undefined);
  assert.equal(store.byGuid(guid), undefined);
  const deleted = [
    ...store.search({ base: 'o=x', scope: 'sub', filter: parseFilter('(isDeleted=TRUE)'), includeDeleted: true }),
  ];
  assert.equal(deleted.length, 3);
  const tombstone = deleted.find((each) => each.guid === guid);
  assert.equal(tombstone?.dn, `cn=Jane\\0ADEL:${guid},CN=Deleted Objects,o=x`);
  assert.deepEqual(
    [tombstone.values('lastKnownParent'), tombstone.isDeleted, tombstone.values('sn')],
    [['ou=People,o=x'], true, []],
  );
  assert.deepEqual(
    store.changesSince(usn - 3).changes.map(({ kind, dn }) => `${kind} ${dn}`),
    ['delete cn=John,ou=People,o=x', `delete ${jane}`, 'delete ou=People,o=x'],
  );
  clock.ms += 181 * 86_400_000;
  await store.delete('ou=Other,o=x', admin);
  assert.deepEqual(
    [...store.tombstones()].map(({ dn }) => dn.split('\\')[0]),
    ['ou=Other'],
  );
  assert.deepEqual(store.verify(), []);
});

test('changes are logged by rising numbers and told to listeners', async () => {
  await using small = await smallStore();
  const { store } = small;
  const heard: Change[] = [];
  const start = store.usn;
  using _listening = store.onChange((changes) => heard.push(...changes));
  await store.modify(jane, [{ operation: 'replace', attribute: 'Surname', values: [b('x')] }], admin);
  await store.modifyDn(jane, { newRdn: 'cn=J', deleteOldRdn: true }, admin);
  await store.delete('cn=J,ou=People,o=x', admin);
  const { changes, complete, usn } = store.changesSince(start);
  assert.deepEqual(heard, changes);
  assert.equal(complete, true);
  assert.equal(usn, start + 3);
  assert.deepEqual(
    changes.map((change) => [change.usn, change.kind, change.dn, change.oldDn, change.attributes.join()]),
    [
      [start + 1, 'modify', jane, undefined, 'sn'],
      [start + 2, 'modifyDn', 'cn=J,ou=People,o=x', jane, 'cn'],
      [start + 3, 'delete', 'cn=J,ou=People,o=x', undefined, ''],
    ],
  );
  assert.deepEqual(store.changesSince(usn), { complete: true, changes: [], usn });
  assert.equal(store.changesSince(start, 1).changes.length, 1);
});

test('what the product adds may bring its GUID and leaves computed attributes out', async () => {
  await using empty = await emptyStore();
  const { store } = empty;
  const guid = Buffer.alloc(16, 7);
  const record = { objectClass: 'organization', objectGUID: guid, whenCreated: '20200101000000.0Z', uSNCreated: '99' };
  await store.add('o=x', attributes(record), asProduct);
  assert.deepEqual(store.get('o=x')?.buffers('objectGUID'), [guid]);
  assert.equal(store.get('o=x')?.values('uSNCreated')[0], '1');
  await assert.rejects(store.add('o=y', attributes(record), asProduct), /GUID/);
});

test('the schema grows at run time, for good, with its indexes, and in readers', async () => {
  await using small = await smallStore();
  const { store, path } = small;
  await using reader = await DirectoryStore.open({ path, schema: productSchema(), readOnly: true });
  await store.extendSchema(
    "dn: cn=schema\nattributeTypes: ( 1.3.6.1.4.1.99999.42.9.1 NAME 'shoeSize' SUP name X-INDEX 'eq' )\nobjectClasses: ( 1.3.6.1.4.1.99999.42.9.2 NAME 'shoes' SUP top AUXILIARY MAY shoeSize )\n",
  );
  await store.modify(
    jane,
    [
      { operation: 'add', attribute: 'objectClass', values: [b('shoes')] },
      { operation: 'add', attribute: 'shoeSize', values: [b('38')] },
    ],
    admin,
  );
  assert.equal(store.lookupEquality('shoeSize', '38')[0]?.dn, jane);
  assert.ok(reader.usn > 5);
  assert.equal(reader.lookupEquality('shoeSize', '38')[0]?.dn, jane);
  await assert.rejects(store.extendSchema("dn: cn=schema\nattributeTypes: ( 1.2.3 NAME 'x' )\n"), RangeError);
  assert.deepEqual(store.verify(), []);
});

test('operations asked for at once share a transaction, keep their order, and each ends by itself', async () => {
  await using small = await smallStore();
  const { store } = small;
  const heard: Change[][] = [];
  const told: string[] = [];
  using _ = store.onChange((changes) => {
    heard.push([...changes]);
    told.push('listener');
  });
  const before = store.usn;
  const person = (name: string): Promise<string> => {
    const values = attributes({ objectClass: 'person', sn: name });
    const added = store.add(`cn=${name},ou=People,o=x`, values, {
      ...admin,
      // Asked when the number of the change is given out already.
      authorize: () => {
        if (name === 'c') throw new Error('not this one');
      },
    });
    return added.then(
      ({ usn }) => `${name} ${usn - before}`,
      (error: unknown) => `${name} ${String(error)}`,
    );
  };
  const asked = [person('a'), person('b'), person('c'), person('d')];
  void asked[0]?.then(() => told.push('who asked'));
  // It comes between: what is asked for behind it is done behind it.
  const gone = store.delete('cn=a,ou=People,o=x', admin);
  const again = person('a');
  assert.deepEqual(await Promise.all(asked), ['a 1', 'b 2', 'c Error: not this one', 'd 3']);
  assert.equal((await gone).usn, before + 4);
  assert.equal(await again, 'a 5');
  assert.deepEqual(
    heard.map((changes) => changes.map(({ kind, usn }) => `${kind} ${usn - before}`)),
    [['add 1', 'add 2', 'add 3'], ['delete 4'], ['add 5']],
  );
  assert.equal(told[0], 'listener');
  assert.deepEqual(store.verify(), []);
});
