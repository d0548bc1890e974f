/** Rights from rules in the directory: what no rule gives is not had, and what is not had is not there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import { DirectoryAccessPolicy, parseAccessRule, type RuleProblem } from '../../src/directory/index.ts';
import { LdapError, resultCodeName } from '../../src/ldap/index.ts';
import { addEntry, adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import {
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  equality,
  modifyDnOp,
  modifyOp,
  present,
  RawClient,
  searchOp,
} from './raw-client.ts';

const people = `ou=People,${root}`;
const ann = `cn=Ann,${people}`;
const group = `cn=Readers,${root}`;
const person = { objectClass: ['top', 'person'], sn: ['x'] };

let face: Face;
before(async () => {
  face = await startFace();
});
after(() => face[Symbol.asyncDispose]());

async function bound(to: Face, dn: string): Promise<RawClient> {
  const client = await RawClient.connect(to.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

async function giveRules(to: Face, dn: string, ...rules: readonly string[]): Promise<void> {
  using admin = await bound(to, adminDn);
  const classes = await admin.ask(modifyOp(dn, [0, 'objectClass', ['edgeAccessControl']]));
  assert.ok(classes.code === 0 || classes.code === 20, classes.message);
  const given = await admin.ask(modifyOp(dn, [2, 'edgeAccessRule', rules]));
  assert.equal(given.code, 0, given.message);
}

async function codeOf(client: RawClient, operation: Buffer): Promise<string> {
  return resultCodeName((await client.ask(operation)).code ?? -1);
}

const unreadable: readonly (readonly [rule: string, complaint: RegExp])[] = [
  ['', /not of the form/],
  ['deny read to self', /not of the form/],
  ['allow read', /not of the form/],
  ['allow read to everyone', /not of the form/],
  ['allow fly to self', /'fly' is not a right/],
  ['allow read on unheardOf to self', /'unheardOf' is not known/],
  ['allow read to dn', /a name stands behind 'dn'/],
  ['allow read to dn nonsense', /has no '='/],
  ['allow read to self cn=x', /nothing stands behind/],
  ['allow read,, write to self', /not of the form/],
];

for (const [rule, complaint] of unreadable) {
  test(`no rule: '${rule}'`, async () => {
    assert.throws(() => parseAccessRule(rule, face.store.schema), complaint);
    using admin = await bound(face, adminDn);
    if (rule !== '') {
      const dn = `cn=rule,${root}`;
      const values = { ...person, objectClass: ['top', 'person', 'edgeAccessControl'], edgeAccessRule: [rule] };
      const code = await codeOf(admin, addOp(dn, values));
      assert.ok(code === 'invalidAttributeSyntax' || code === 'invalidDNSyntax', code);
    }
  });
}

test('rules are read in any spelling', () => {
  const rule = parseAccessRule(` ALLOW Read , write ON 2.5.4.4, Mail TO DN ${userDn}`, face.store.schema);
  assert.deepEqual(
    [[...rule.rights], [...(rule.attributes ?? [])].sort(), rule.subject.kind],
    [['read', 'write'], ['mail', 'sn'], 'dn'],
  );
});

test('read: an attribute that may not be read is neither sent, found nor compared', async () => {
  await using own = await startFace();
  await giveRules(own, people, `allow read on cn,sn,objectClass to dn ${userDn.toUpperCase()}`);
  using client = await bound(own, userDn);
  const answers = await client.answers(client.send(searchOp({ base: people, scope: 2, attributes: ['*', '+'] })));
  assert.equal(answers.length, 5);
  for (const { attributes } of answers)
    for (const name of attributes.keys()) assert.ok(['cn', 'sn', 'objectClass'].includes(name), name);
  for (const filter of [equality('mail', 'ann@example.com'), present('mail')]) {
    assert.equal((await client.answers(client.send(searchOp({ base: people, scope: 2, filter })))).length, 1);
  }
  assert.equal(await codeOf(client, compareOp(ann, 'sn', 'Archer')), 'compareTrue');
  assert.equal(await codeOf(client, compareOp(ann, 'mail', 'ann@example.com')), 'insufficientAccessRights');
  assert.equal(await codeOf(client, searchOp({ base: adminDn })), 'noSuchObject');
  assert.equal(await codeOf(client, modifyOp(ann, [2, 'sn', ['y']])), 'insufficientAccessRights');
  assert.equal(await codeOf(client, deleteOp(ann)), 'insufficientAccessRights');
  const sorted = await client.answers(client.send(searchOp({ base: root, scope: 2 })));
  assert.equal(sorted.at(-1)?.code, 32, 'the root is not shown');
});

test('write, create and delete, each by itself, and only below', async () => {
  await using own = await startFace();
  await giveRules(
    own,
    people,
    `allow read to dn ${userDn}`,
    `allow write on sn, description to dn ${userDn}`,
    `allow delete to dn ${userDn}`,
  );
  using client = await bound(own, userDn);
  assert.equal(await codeOf(client, modifyOp(ann, [2, 'sn', ['y']])), 'success');
  assert.equal(await codeOf(client, modifyOp(ann, [2, 'sn', ['y']], [2, 'mail', ['x@y']])), 'insufficientAccessRights');
  assert.equal(await codeOf(client, addOp(`cn=New,${people}`, person)), 'insufficientAccessRights');
  assert.equal(await codeOf(client, deleteOp(`cn=Bob,${people}`)), 'success');
  await giveRules(own, people, `allow create,read,write to dn ${userDn}`);
  assert.equal(await codeOf(client, addOp(`cn=New,${people}`, person)), 'success');
  assert.equal(await codeOf(client, addOp(`cn=New,${root}`, person)), 'noSuchObject', 'the root is not seen');
  assert.equal(await codeOf(client, deleteOp(`cn=New,${people}`)), 'insufficientAccessRights');
  assert.equal(await codeOf(client, modifyDnOp(`cn=New,${people}`, 'cn=Newer')), 'insufficientAccessRights');
  assert.equal(await codeOf(client, modifyDnOp(`cn=New,${people}`, 'cn=New', true, root)), 'insufficientAccessRights');
});

// What a move needs: deletion at the old place, creation at the new one, and writing there what the name says.
const moves: readonly (readonly [title: string, old: string, place: string, newRdn: string, code: string])[] = [
  ['all that it needs', 'read,delete', 'read,create,write', 'cn=Moved', 'success'],
  ['no deletion at the old place', 'read,write,create', 'read,create,write', 'cn=Moved', 'insufficientAccessRights'],
  ['no creation at the new place', 'read,delete,create', 'read,write', 'cn=Moved', 'insufficientAccessRights'],
  ['no writing at the new place', 'read,delete,write', 'read,create', 'cn=Moved', 'insufficientAccessRights'],
  [
    'writing of another attribute there',
    'read,delete,write',
    'read,create;write on sn',
    'cn=Moved',
    'insufficientAccessRights',
  ],
  ['writing of the name there', 'read,delete', 'read,create;write on cn', 'cn=Moved', 'success'],
  ['a new place that is not seen', 'read,delete,write', '', 'cn=Moved', 'noSuchObject'],
];
for (const [title, old, place, newRdn, code] of moves) {
  test(`a move with ${title}: ${code}`, async () => {
    await using own = await startFace();
    const other = `ou=Other,${root}`;
    using admin = await bound(own, adminDn);
    assert.equal(
      await codeOf(admin, addOp(other, { objectClass: ['top', 'organizationalUnit'], ou: ['Other'] })),
      'success',
    );
    const rules = (rights: string): string[] => rights.split(';').map((one) => `allow ${one} to dn ${userDn}`);
    await giveRules(own, people, ...rules(old));
    if (place !== '') await giveRules(own, other, ...rules(place));
    using client = await bound(own, userDn);
    assert.equal(await codeOf(client, modifyDnOp(`cn=Bob,${people}`, newRdn, true, other)), code);
    const found = await codeOf(
      admin,
      searchOp({ base: code === 'success' ? `${newRdn},${other}` : `cn=Bob,${people}` }),
    );
    assert.equal(found, 'success', 'it is where it should be');
  });
}

test('secrets must be named', async () => {
  await using own = await startFace();
  await giveRules(own, root, `allow read,write,create,delete to dn ${userDn}`);
  using client = await bound(own, userDn);
  const [entry] = await client.answers(client.send(searchOp({ base: adminDn })));
  assert.ok(entry?.attributes.has('sn') && !entry.attributes.has('userPassword'));
  for (const change of [
    modifyOp(adminDn, [2, 'userPassword', ['mine']]),
    modifyOp(root, [2, 'edgeAccessRule', [`allow read on userPassword to dn ${userDn}`]]),
    addOp(`cn=Own,${root}`, { ...person, objectClass: ['person', 'edgeAccount'], userPassword: ['x'] }),
  ]) {
    assert.equal(await codeOf(client, change), 'insufficientAccessRights');
  }
  await giveRules(own, root, `allow read on objectClass,userPassword to dn ${userDn}`);
  const [shown] = await client.answers(client.send(searchOp({ base: adminDn })));
  assert.deepEqual([...(shown?.attributes.keys() ?? [])].sort(), ['objectClass', 'userPassword']);
});

test('pre-read shows no more than a search', async () => {
  await using own = await startFace();
  await giveRules(own, people, `allow read,write on sn to dn ${userDn}`);
  using client = await bound(own, userDn);
  const control = { oid: controlOids.preRead, critical: true, value: sequence(octets('*')) };
  const changed = await client.ask(modifyOp(ann, [2, 'sn', ['y']]), [control]);
  const sent = changed.controls.get(controlOids.preRead)?.toString('latin1') ?? '';
  assert.ok(sent.includes('Archer') && !sent.includes('ann@example.com'));
});

test('an assertion tells nothing of what may not be read', async () => {
  await using own = await startFace();
  await giveRules(own, people, `allow read,write on sn to dn ${userDn}`);
  using client = await bound(own, userDn);
  for (const guess of ['ann@example.com', 'other']) {
    const control = { oid: controlOids.assertion, critical: true, value: equality('mail', guess) };
    assert.equal((await client.ask(modifyOp(ann, [2, 'sn', ['y']]), [control])).code, 122, guess);
  }
});

test('members of a group, self, and whoever is bound', async () => {
  await using own = await startFace();
  await addEntry(own.store, group, { objectClass: ['top', 'groupOfNames'], member: adminDn });
  await giveRules(own, people, `allow read to group ${group}`);
  using client = await bound(own, userDn);
  const seen = (): Promise<string> => codeOf(client, searchOp({ base: people }));
  assert.equal(await seen(), 'noSuchObject');
  const member = { attribute: 'member', values: [Buffer.from(userDn.toUpperCase())] };
  await own.store.modify(group, [{ operation: 'add', ...member }], { actor: adminDn });
  assert.equal(await seen(), 'success');
  await own.store.modify(group, [{ operation: 'delete', ...member }], { actor: adminDn });
  assert.equal(await seen(), 'noSuchObject');
  await giveRules(own, root, 'allow read to self');
  assert.equal(await codeOf(client, searchOp({ base: userDn })), 'success');
  assert.equal(await codeOf(client, searchOp({ base: adminDn })), 'noSuchObject');
  await giveRules(own, people, 'allow read to authenticated');
  assert.equal(await seen(), 'success');
  using nobody = await RawClient.connect(own.port);
  assert.equal(await codeOf(nobody, searchOp({ base: people })), 'insufficientAccessRights');
});

test('of many entries made in one folder each has the rights of its own classes, and only while they last', async () => {
  await using own = await startFace();
  await addEntry(own.store, group, { objectClass: ['top', 'groupOfNames'], member: [adminDn, userDn] });
  await giveRules(own, people, `allow create,read,write of person below to group ${group}`);
  using client = await bound(own, userDn);
  const make = (name: string, classes: readonly string[], values: { sn?: string[] } = { sn: ['x'] }): Promise<string> =>
    codeOf(client, addOp(`cn=${name},${people}`, { objectClass: classes, ...values }));
  assert.equal(await make('one', ['person']), 'success');
  assert.equal(await make('role', ['organizationalRole'], {}), 'noSuchObject');
  assert.equal(await make('two', ['person']), 'success');
  assert.equal(await make('rules', ['person', 'edgeAccessControl']), 'noSuchObject');
  const member = { attribute: 'member', values: [Buffer.from(userDn)] };
  await own.store.modify(group, [{ operation: 'delete', ...member }], { actor: adminDn });
  assert.equal(await make('three', ['person']), 'noSuchObject');
  await own.store.modify(group, [{ operation: 'add', ...member }], { actor: adminDn });
  assert.equal(await make('three', ['person']), 'success');
  await giveRules(own, people, `allow read of person below to group ${group}`);
  assert.equal(await make('four', ['person']), 'noSuchObject');
});

test('a rule counts and ends at once, also by a rename, an add and a delete', async () => {
  await using own = await startFace();
  using client = await bound(own, userDn);
  const seen = (dn: string): Promise<string> => codeOf(client, searchOp({ base: dn }));
  assert.equal(await seen(ann), 'noSuchObject');
  await giveRules(own, people, `allow read to dn ${userDn}`);
  assert.equal(await seen(ann), 'success');
  await own.store.modifyDn(ann, { newRdn: 'cn=Ann', deleteOldRdn: true, newSuperior: root }, { actor: adminDn });
  assert.equal(await seen(`cn=Ann,${root}`), 'noSuchObject');
  await own.store.modify(people, [{ operation: 'delete', attribute: 'edgeAccessRule', values: [] }], {
    actor: adminDn,
  });
  assert.equal(await seen(people), 'noSuchObject');
  const folder = `ou=Open,${root}`;
  await addEntry(own.store, folder, {
    objectClass: ['organizationalUnit', 'edgeAccessControl'],
    edgeAccessRule: `allow read to dn ${userDn}`,
  });
  await addEntry(own.store, `cn=in,${folder}`, { objectClass: 'person', sn: 'x' });
  assert.equal(await seen(`cn=in,${folder}`), 'success');
});

test('a rule that was imported broken gives nothing and is told', async () => {
  await using own = await startFace();
  const told: RuleProblem[] = [];
  using policy = new DirectoryAccessPolicy(own.store, (problem) => told.push(problem));
  const rules = ['allow everything to everyone', `allow read to dn ${userDn}`];
  await addEntry(own.store, `ou=Odd,${root}`, {
    objectClass: ['organizationalUnit', 'edgeAccessControl'],
    edgeAccessRule: rules,
  });
  const entry = own.store.get(`ou=Odd,${root}`);
  assert.ok(entry);
  const rights = policy.rights({ kind: 'account', dn: userDn }, entry);
  assert.deepEqual([rights.visible, rights.creates, told.length, told[0]?.rule], [true, false, 1, rules[0]]);
  assert.ok(
    !policy.rights({ kind: 'account', dn: adminDn }, entry).visible,
    'an account is no administrator by its name',
  );
});

test('matched names are told only to those who may know them', async () => {
  await using own = await startFace();
  await giveRules(own, people, `allow read to dn ${userDn}`);
  using client = await bound(own, userDn);
  assert.equal((await client.ask(searchOp({ base: `cn=x,${people}` }))).matchedDn, people);
  assert.equal((await client.ask(searchOp({ base: `cn=x,${root}` }))).matchedDn, '');
  assert.equal((await client.ask(addOp(`cn=x,cn=y,${root}`, person))).matchedDn, '');
});

test('the refusals are of the kind the room throws', () => {
  assert.throws(() => parseAccessRule('nonsense', face.store.schema), LdapError);
});
