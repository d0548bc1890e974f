/** The schema grows at run time, by LDIF over LDAP, and nothing of what is there changes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { DirectoryStore, loadSchema } from '../../src/directory/index.ts';
import { parseFilter, resultCodeName } from '../../src/ldap/index.ts';
import { adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import {
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  equality,
  modifyDnOp,
  modifyOp,
  RawClient,
  searchOp,
} from './raw-client.ts';

const run = promisify(execFile);
const arc = '1.3.6.1.4.1.99999.42.99';
const badge = `( ${arc}.1 NAME 'badgeNumber' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE X-INDEX 'eq' )`;
const holder = `( ${arc}.2 NAME 'badgeHolder' SUP top AUXILIARY MAY badgeNumber )`;

async function as(face: Face, dn: string): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

async function published(client: RawClient, attribute: string): Promise<string[]> {
  const [entry] = await client.answers(client.send(searchOp({ base: 'cn=schema', attributes: [attribute] })));
  return (entry?.attributes.get(attribute) ?? []).map(String);
}

test('a schema file of another server is loaded by ldapmodify and is in force at once, and after a restart', async () => {
  await using face = await startFace();
  const file = join(face.folder, 'badge.ldif');
  await writeFile(
    file,
    `dn: cn=schema\nchangetype: modify\nadd: attributeTypes\nattributeTypes: ${badge}\n-\nadd: objectClasses\nobjectClasses: ${holder}\n`,
  );
  await run('ldapmodify', ['-x', '-H', face.url, '-D', adminDn, '-w', password, '-f', file], { timeout: 300_000 });
  using client = await as(face, adminDn);
  assert.ok((await published(client, 'attributeTypes')).includes(badge));
  assert.ok((await published(client, 'objectClasses')).includes(holder));
  const dn = `cn=Ann,ou=People,${root}`;
  assert.equal(
    (await client.ask(modifyOp(dn, [0, 'objectClass', ['badgeHolder']], [0, 'badgeNumber', ['7']]))).code,
    0,
  );
  assert.equal((await client.ask(compareOp(dn, 'badgeNumber', '7'))).code, 6);
  const found = await client.answers(
    client.send(searchOp({ base: root, scope: 2, filter: equality('badgeNumber', '7'), attributes: ['badgeNumber'] })),
  );
  assert.deepEqual(found[0]?.attributes.get('badgeNumber')?.map(String), ['7']);
  assert.match(
    face.store.explain({ base: root, scope: 'sub', filter: parseFilter('(badgeNumber=7)') }).text,
    /index eq/,
  );
  await face.store.close();
  await using again = await DirectoryStore.open({
    path: join(face.folder, 'db'),
    schema: await loadSchema('ldap/schema'),
  });
  assert.equal(again.lookupEquality('badgeNumber', '7')[0]?.dn, dn);
});

const person = (may: string): string =>
  `( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( ${may} ) X-ORIGIN 'test' )`;

interface Row {
  readonly name: string;
  readonly operation: Buffer;
  readonly expect: string;
  readonly as?: 'user';
}

const add = (...changes: readonly (readonly [string, readonly string[]])[]): Buffer =>
  modifyOp('CN=Schema', ...changes.map(([attribute, values]) => [0, attribute, values] as const));

const rows: readonly Row[] = [
  {
    name: 'an attribute that is there',
    operation: add(['attributeTypes', [badge.replace(`${arc}.1`, '2.5.4.4')]]),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'a name that is there',
    operation: add(['attributeTypes', [badge.replace('badgeNumber', 'MAIL')]]),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'a class that loses an attribute',
    operation: add(['objectClasses', [person('description')]]),
    expect: 'attributeOrValueExists',
  },
  {
    name: 'a class that gets one',
    operation: add(['objectClasses', [person('userPassword $ telephoneNumber $ seeAlso $ description $ mail')]]),
    expect: 'success',
  },
  {
    name: 'a class of unknown attributes',
    operation: add(['objectClasses', [holder]]),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'attribute and class at once',
    operation: add(['objectClasses', [holder]], ['attributeTypes', [badge]]),
    expect: 'success',
  },
  { name: 'no description', operation: add(['attributeTypes', ['badgeNumber']]), expect: 'invalidAttributeSyntax' },
  {
    name: 'a description that is cut off',
    operation: add(['attributeTypes', ["( 1.2.3 NAME 'x"]]),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'an unknown syntax',
    operation: add(['attributeTypes', ["( 1.2.3 NAME 'x' SYNTAX 1.2.3.4 )"]]),
    expect: 'invalidAttributeSyntax',
  },
  {
    name: 'a rule that is not built in',
    operation: add(['matchingRules', ["( 1.2.3 NAME 'x' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"]]),
    expect: 'invalidAttributeSyntax',
  },
  { name: 'another attribute of the entry', operation: add(['description', ['x']]), expect: 'unwillingToPerform' },
  {
    name: 'taking away',
    operation: modifyOp('cn=schema', [1, 'attributeTypes', [badge]]),
    expect: 'unwillingToPerform',
  },
  { name: 'replacing', operation: modifyOp('cn=schema', [2, 'attributeTypes', [badge]]), expect: 'unwillingToPerform' },
  { name: 'deleting the entry', operation: deleteOp('cn=schema'), expect: 'unwillingToPerform' },
  { name: 'renaming the entry', operation: modifyDnOp('cn=schema', 'cn=s'), expect: 'unwillingToPerform' },
  { name: 'adding the entry', operation: addOp('cn=schema', { objectClass: ['top'] }), expect: 'unwillingToPerform' },
  {
    name: 'a plain account',
    operation: add(['attributeTypes', [badge]]),
    as: 'user',
    expect: 'insufficientAccessRights',
  },
];

for (const row of rows) {
  test(`schema: ${row.name}`, async () => {
    await using face = await startFace();
    using client = await as(face, row.as === 'user' ? userDn : adminDn);
    const { schema } = face.store;
    const answer = await client.ask(row.operation);
    assert.equal(resultCodeName(answer.code ?? -1), row.expect, answer.message);
    assert.equal(face.store.schema !== schema, row.expect === 'success');
  });
}

test('the subschema entry says when it changed', async () => {
  await using face = await startFace();
  using client = await as(face, adminDn);
  const [before] = await published(client, 'modifyTimestamp');
  assert.match(before ?? '', /^\d{14}(?:\.\d+)?Z$/);
  assert.equal((await client.ask(add(['attributeTypes', [badge]]))).code, 0);
  const [changed] = await published(client, 'modifyTimestamp');
  assert.ok((changed ?? '') >= (before ?? ''));
});
