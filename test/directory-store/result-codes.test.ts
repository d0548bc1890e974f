import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryStore, Operation } from '../../src/directory/index.ts';
import { LdapError, parseFilter, type ResultCodeName } from '../../src/ldap/index.ts';
import { admin, asProduct, attributes, smallStore } from './store-for-test.ts';

const person = { objectClass: 'inetOrgPerson', sn: 'x' };
const add = (dn: string, record: Parameters<typeof attributes>[0]): Operation => ({
  kind: 'add',
  dn,
  attributes: attributes(record),
});
const modify = (
  dn: string,
  ...steps: readonly (readonly [
    operation: 'add' | 'delete' | 'replace' | 'increment',
    attribute: string,
    ...values: string[],
  ])[]
): Operation => ({
  kind: 'modify',
  dn,
  modifications: steps.map(([operation, attribute, ...values]) => ({
    operation,
    attribute,
    values: values.map((value) => Buffer.from(value)),
  })),
});
const rename = (dn: string, newRdn: string, deleteOldRdn: boolean, newSuperior?: string): Operation => ({
  kind: 'modifyDn',
  dn,
  newRdn,
  deleteOldRdn,
  ...(newSuperior === undefined ? {} : { newSuperior }),
});
const jane = 'cn=Jane,ou=People,o=x';

// Every failure that RFC 4511 names for the operations of a store, with the matched name where there is one.
const rows: readonly (readonly [what: string, operation: Operation, code: ResultCodeName, matchedDn?: string])[] = [
  ['add: name that is none', add('nonsense', person), 'invalidDNSyntax'],
  ['add: the root', add('', person), 'entryAlreadyExists'],
  ['add: name taken, written otherwise', add(' CN = JANE , OU=people,O=X', person), 'entryAlreadyExists'],
  ['add: parent missing', add('cn=a,ou=None,ou=People,o=x', person), 'noSuchObject', 'ou=People,o=x'],
  ['add: other tree', add('cn=a,o=y', person), 'noSuchObject', ''],
  ['add: no class', add('cn=a,o=x', { sn: 'x' }), 'objectClassViolation'],
  ['add: unknown class', add('cn=a,o=x', { objectClass: 'noSuch' }), 'invalidAttributeSyntax'],
  ['add: class that is no OID', add('cn=a,o=x', { objectClass: 'no such' }), 'invalidAttributeSyntax'],
  ['add: abstract class alone', add('cn=a,o=x', { objectClass: 'top' }), 'objectClassViolation'],
  ['add: auxiliary class alone', add('cn=a,o=x', { objectClass: 'mailRecipient' }), 'objectClassViolation'],
  [
    'add: abstract class that nothing derives from',
    add('cn=a,o=x', { objectClass: ['person', 'mailGateway'], sn: 'x' }),
    'objectClassViolation',
  ],
  [
    'add: two structural classes',
    add('cn=a,o=x', { objectClass: ['person', 'device'], sn: 'x' }),
    'objectClassViolation',
  ],
  ['add: required attribute missing', add('cn=a,o=x', { objectClass: 'person' }), 'objectClassViolation'],
  [
    'add: attribute not allowed',
    add('cn=a,o=x', { objectClass: 'person', sn: 'x', mail: 'a@x' }),
    'objectClassViolation',
  ],
  ['add: unknown attribute', add('cn=a,o=x', { ...person, noSuch: 'x' }), 'undefinedAttributeType'],
  ['add: attribute that is no description', add('cn=a,o=x', { ...person, 'a b': 'x' }), 'undefinedAttributeType'],
  ['add: unknown attribute in the name', add('noSuch=a,o=x', person), 'undefinedAttributeType'],
  ['add: operational attribute in the name', add('whenCreated=20260101000000Z,o=x', person), 'namingViolation'],
  ['add: name not allowed by the class', add('serialNumber=1,o=x', person), 'objectClassViolation'],
  ['add: wrong syntax', add('cn=a,o=x', { ...person, telephoneNumber: 'a_b' }), 'invalidAttributeSyntax'],
  [
    'add: text that is not UTF-8',
    add('cn=a,o=x', { ...person, description: Buffer.from([0xff]) }),
    'invalidAttributeSyntax',
  ],
  [
    'add: two values where one belongs',
    add('cn=a,o=x', { ...person, employeeNumber: ['1', '2'] }),
    'constraintViolation',
  ],
  ['add: a value twice', add('cn=a,o=x', { ...person, mail: ['a@x', 'A@X'] }), 'attributeOrValueExists'],
  ['add: no values', add('cn=a,o=x', { ...person, mail: [] }), 'protocolError'],
  ['add: attribute of the server', add('cn=a,o=x', { ...person, uSNCreated: '1' }), 'constraintViolation'],
  [
    'add: attribute that clients do not change',
    add('cn=a,o=x', { ...person, creatorsName: 'cn=a' }),
    'constraintViolation',
  ],
  ['add: name too long', add(`cn=${'a'.repeat(2_000)},o=x`, person), 'adminLimitExceeded'],
  ['modify: entry missing', modify('cn=Jim,ou=People,o=x', ['replace', 'sn', 'x']), 'noSuchObject', 'ou=People,o=x'],
  ['modify: name that is none', modify('cn', ['replace', 'sn', 'x']), 'invalidDNSyntax'],
  ['modify: unknown attribute', modify(jane, ['replace', 'noSuch', 'x']), 'undefinedAttributeType'],
  ['modify: value there already', modify(jane, ['add', 'mail', 'JANE@X.example']), 'attributeOrValueExists'],
  ['modify: a value twice', modify(jane, ['replace', 'mail', 'a', 'A']), 'attributeOrValueExists'],
  ['modify: no values to add', modify(jane, ['add', 'mail']), 'protocolError'],
  ['modify: attribute to delete missing', modify(jane, ['delete', 'title']), 'noSuchAttribute'],
  ['modify: value to delete missing', modify(jane, ['delete', 'mail', 'other@x']), 'noSuchAttribute'],
  [
    'modify: value deleted twice',
    modify(jane, ['delete', 'mail', 'jane@x.example'], ['delete', 'mail', 'jane@x.example']),
    'noSuchAttribute',
  ],
  [
    'modify: value of an attribute without equality',
    modify(jane, ['replace', 'audio', 'x'], ['delete', 'audio', 'x']),
    'inappropriateMatching',
  ],
  ['modify: wrong syntax', modify(jane, ['add', 'telephoneNumber', '_']), 'invalidAttributeSyntax'],
  ['modify: required attribute', modify(jane, ['delete', 'sn']), 'objectClassViolation'],
  ['modify: value of the name', modify(jane, ['delete', 'cn', 'jane']), 'notAllowedOnRDN'],
  ['modify: value of the name by replace', modify(jane, ['replace', 'cn', 'other']), 'notAllowedOnRDN'],
  [
    'modify: structural class',
    modify(jane, ['delete', 'objectClass', 'inetOrgPerson'], ['delete', 'mail']),
    'objectClassModsProhibited',
  ],
  [
    'modify: more derived class',
    modify('cn=Jane,ou=People,o=x', ['add', 'objectClass', 'user']),
    'objectClassViolation',
  ],
  [
    'modify: attribute of the server',
    modify(jane, ['replace', 'objectGUID', '0123456789abcdef']),
    'constraintViolation',
  ],
  [
    'modify: attribute that clients do not change',
    modify(jane, ['replace', 'structuralObjectClass', 'person']),
    'constraintViolation',
  ],
  ['modify: increment of a text', modify(jane, ['increment', 'sn', '1']), 'constraintViolation'],
  ['modify: increment of nothing', modify(jane, ['increment', 'systemFlags', '1']), 'noSuchAttribute'],
  [
    'modify: increment by two',
    modify(jane, ['replace', 'systemFlags', '1'], ['increment', 'systemFlags', '1', '2']),
    'protocolError',
  ],
  [
    'modify: increment by a text',
    modify(jane, ['replace', 'systemFlags', '1'], ['increment', 'systemFlags', 'x']),
    'invalidAttributeSyntax',
  ],
  ['delete: entry missing', { kind: 'delete', dn: 'cn=Jim,ou=People,o=x' }, 'noSuchObject', 'ou=People,o=x'],
  ['delete: entry that is not a leaf', { kind: 'delete', dn: 'ou=People,o=x' }, 'notAllowedOnNonLeaf'],
  ['rename: entry missing', rename('cn=Jim,ou=People,o=x', 'cn=a', true), 'noSuchObject', 'ou=People,o=x'],
  ['rename: name that is none', rename(jane, 'nonsense', true), 'invalidDNSyntax'],
  ['rename: two RDNs', rename(jane, 'cn=a,cn=b', true), 'invalidDNSyntax'],
  ['rename: name taken', rename(jane, 'CN=john', true), 'entryAlreadyExists'],
  ['rename: new superior missing', rename(jane, 'cn=Jane', true, 'ou=None,o=x'), 'noSuchObject', 'o=x'],
  ['rename: below itself', rename('ou=People,o=x', 'ou=People', true, jane), 'unwillingToPerform'],
  ['rename: naming context', rename('o=x', 'o=y', true), 'unwillingToPerform'],
  [
    'rename: required attribute goes with the old name',
    rename(jane, 'mail=jane@x.example', true),
    'objectClassViolation',
  ],
  ['rename: attribute not allowed', rename(jane, 'serialNumber=1', false), 'objectClassViolation'],
  ['rename: single value', rename('ou=People,o=x', 'c=DE', false), 'objectClassViolation'],
];

const contents = (store: DirectoryStore): string[] =>
  [...store.search({ base: '', scope: 'sub' })].map(
    (entry) =>
      `${entry.dn} ${entry.usn} ${entry.storedAttributes.map((name) => `${name}=${entry.values(name).join('|')}`).join(' ')}`,
  );

test('every failure has its result code and changes nothing', async (t) => {
  await using small = await smallStore();
  const { store } = small;
  const before = contents(store);
  const usn = store.usn;
  for (const [what, operation, code, matchedDn] of rows) {
    await t.test(what, async () => {
      await assert.rejects(store.batch([operation], admin), (error) => {
        assert.ok(error instanceof LdapError, String(error));
        assert.equal(error.code, code, error.message);
        if (matchedDn !== undefined) assert.equal(error.matchedDn, matchedDn);
        return true;
      });
      assert.equal(store.usn, usn);
    });
  }
  assert.deepEqual(contents(store), before);
  assert.deepEqual(store.verify(), []);
});

test('a batch is done whole or not at all', async () => {
  await using small = await smallStore();
  const { store } = small;
  const before = contents(store);
  const operations = [
    add('cn=New,ou=Other,o=x', person),
    modify('cn=New,ou=Other,o=x', ['add', 'mail', 'n@x']),
    rename('ou=People,o=x', 'ou=Folk', true),
    { kind: 'delete', dn: 'o=x' } as const,
  ];
  await assert.rejects(
    store.batch(operations, admin),
    (error) => error instanceof LdapError && error.code === 'notAllowedOnNonLeaf',
  );
  assert.deepEqual(contents(store), before);
  assert.equal((await store.batch(operations.slice(0, 3), admin)).length, 3);
  assert.equal(store.get('cn=New,ou=Other,o=x')?.values('mail')[0], 'n@x');
  assert.deepEqual(store.verify(), []);
});

test('an assertion that does not hold stops the operation', async () => {
  await using small = await smallStore();
  const { store } = small;
  const assertion = parseFilter('(sn=Roe)');
  const failing: readonly Operation[] = [
    modify(jane, ['replace', 'sn', 'y']),
    { kind: 'delete', dn: jane },
    rename(jane, 'cn=z', true),
    add('cn=n,o=x', person),
  ];
  for (const operation of failing) {
    await assert.rejects(
      store.batch([operation], { ...admin, assertion }),
      (error) => error instanceof LdapError && error.code === 'assertionFailed',
    );
  }
  await store.batch([modify('cn=John,ou=People,o=x', ['replace', 'sn', 'y'])], { ...admin, assertion });
});

test('authorize sees the entry before and after, and can refuse', async () => {
  await using small = await smallStore();
  const { store } = small;
  const seen: string[] = [];
  const refuse = (): never => {
    throw new LdapError('insufficientAccessRights', 'no');
  };
  await store.modify(jane, [{ operation: 'replace', attribute: 'surname', values: [Buffer.from('New')] }], {
    ...admin,
    authorize: (change) =>
      seen.push(
        `${change.kind} ${change.before?.values('sn')[0]} ${change.after?.values('sn')[0]} ${change.attributes.join()}`,
      ),
  });
  assert.deepEqual(seen, ['modify Doe New sn']);
  await assert.rejects(store.delete('o=x', { ...admin, subtree: true, authorize: refuse }), LdapError);
  await assert.rejects(store.add('cn=n,o=x', attributes(person), { ...admin, authorize: refuse }), LdapError);
  assert.equal(store.size, 5);
  assert.deepEqual(store.verify(), []);
});

test('a client cannot make a naming context', async () => {
  await using small = await smallStore();
  await assert.rejects(
    small.store.add('o=new', attributes({ objectClass: 'organization' }), admin),
    (error) => error instanceof LdapError && error.code === 'noSuchObject',
  );
  await small.store.add('o=new', attributes({ objectClass: 'organization' }), asProduct);
  assert.deepEqual(small.store.namingContexts, ['o=x', 'o=new']);
});
