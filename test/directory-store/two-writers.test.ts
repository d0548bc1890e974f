import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Change, DirectoryStore } from '../../src/directory/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';
import { admin, attributes, smallStore } from './store-for-test.ts';

/** Writes to the store in a process of its own, as a command does beside the service. */
async function elsewhere(path: string, work: string): Promise<void> {
  const script = `
    import { DirectoryStore } from './src/directory/index.ts';
    import { productSchema } from './test/ldap/schema-of-the-product.ts';
    import { admin, attributes } from './test/directory-store/store-for-test.ts';
    await using store = await DirectoryStore.open({ path: ${JSON.stringify(path)}, schema: productSchema(), alongside: true });
    ${work}`;
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script];
  await promisify(execFile)(process.execPath, options);
}

const person = attributes({ objectClass: 'person', sn: 's' });

test('two processes write: numbers are given once, and listeners hear all in order', async () => {
  await using small = await smallStore();
  const { store, path } = small;
  const start = store.usn;
  const heard: Change[] = [];
  using _listening = store.onChange((changes) => heard.push(...changes));
  const other = elsewhere(
    path,
    "for (let i = 0; i < 40; i++) await store.add(`cn=other${i},o=x`, attributes({ objectClass: 'person', sn: 's' }), admin);",
  );
  for (let i = 0; i < 40; i++) await store.add(`cn=own${i},o=x`, person, admin);
  await other;
  await store.announceOthers();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    heard.map(({ usn }) => usn),
    Array.from({ length: 80 }, (_, i) => start + 1 + i),
  );
  assert.deepEqual(new Set(heard.map(({ dn }) => dn)).size, 80);
  assert.deepEqual(store.changesSince(start).changes, heard);
  assert.deepEqual(store.verify(), []);
});

test('a schema that another process extended is in force for the next write', async () => {
  await using small = await smallStore();
  const { store, path } = small;
  const type =
    "( 1.3.6.1.4.1.99999.42.9.20 NAME 'testSize' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 X-INDEX 'eq' )";
  const objectClass = "( 1.3.6.1.4.1.99999.42.9.21 NAME 'testSized' SUP top AUXILIARY MAY testSize )";
  const ldif = `dn: cn=schema\nattributeTypes: ${type}\nobjectClasses: ${objectClass}\n`;
  await elsewhere(path, `await store.extendSchema(${JSON.stringify(ldif)});`);
  await store.add('cn=sized,o=x', attributes({ objectClass: ['person', 'testSized'], sn: 's', testSize: '7' }), admin);
  assert.deepEqual(
    store.lookupEquality('testSize', '7').map(({ dn }) => dn),
    ['cn=sized,o=x'],
  );
  assert.deepEqual(store.verify(), []);
});

test('a command of another version does not touch the indexes of the service', async () => {
  await using small = await smallStore();
  const other = productSchema().extended(
    "dn: cn=schema\nattributeTypes: ( 2.5.4.13 NAME 'description' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-INDEX 'eq' )\n",
  );
  await assert.rejects(
    DirectoryStore.open({ path: small.path, schema: other, alongside: true }),
    /another schema than this program/,
  );
});

test('what is lost of the log is told to listeners', async () => {
  await using small = await smallStore();
  const { store, path } = small;
  const told: boolean[] = [];
  using _listening = store.onChange((_, someLost) => told.push(someLost));
  await store.add('cn=one,o=x', person, admin);
  await elsewhere(
    path,
    "await store.forgetChanges(); await store.add('cn=two,o=x', attributes({ objectClass: 'person', sn: 's' }), admin);",
  );
  await store.announceOthers();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, [false, true]);
});
