import assert from 'node:assert/strict';
import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultOfFile } from '../../src/directory/store/files/file-check.ts';
import { admin, asProduct, attributes, emptyStore } from './store-for-test.ts';

const page = 4096;

/** File of a store with some hundred entries, one of them longer than a page, and values under one index key by the hundred. */
async function fileOfStore(): Promise<{ readonly file: string; readonly copy: string } & AsyncDisposable> {
  const made = await emptyStore();
  await made.store.add('o=x', attributes({ objectClass: 'organization' }), asProduct);
  await made.store.batch(
    Array.from({ length: 600 }, (_, i) => ({
      kind: 'add' as const,
      dn: `cn=p${i},o=x`,
      attributes: attributes({
        objectClass: 'inetOrgPerson',
        sn: `s${i % 3}`,
        description: 'd'.repeat(i === 7 ? 20_000 : 10),
      }),
    })),
    admin,
  );
  const file = join(made.path, 'data.mdb');
  return { file, copy: join(made.path, 'copy'), [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
}

const look = (file: string): string | undefined => faultOfFile(file, { readOnly: true, everyPage: true });

/** Overwrites octets of a copy and looks at it. */
function damaged(file: string, copy: string, at: number, octets: Buffer): string | undefined {
  copyFileSync(file, copy);
  const descriptor = openSync(copy, 'r+');
  writeSync(descriptor, octets, 0, octets.length, at);
  closeSync(descriptor);
  return look(copy);
}

test('a sound file has no fault', async () => {
  await using store = await fileOfStore();
  assert.equal(look(store.file), undefined);
});

// What is done to the file, and what is said.
const faults: readonly (readonly [what: string, at: number, octets: Buffer, says: RegExp])[] = [
  ['first page overwritten', 0, Buffer.alloc(page, 0x41), /its first page is not one of LMDB/],
  ['page size of nonsense', 48, Buffer.from([3, 0]), /its first page is not one of LMDB/],
];
for (const [what, at, octets, says] of faults) {
  test(`${what}: recognised`, async () => {
    await using store = await fileOfStore();
    assert.match(damaged(store.file, store.copy, at, octets) ?? '', says);
  });
}

test('a file cut short anywhere in its used pages is recognised', async () => {
  await using store = await fileOfStore();
  const { size } = statSync(store.file);
  for (const part of [0.1, 0.3, 0.5, 0.7]) {
    copyFileSync(store.file, store.copy);
    truncateSync(store.copy, Math.floor((size * part) / page) * page + 100);
    assert.match(look(store.copy) ?? '', /octets.* are in use|page \d+ of the /, `cut to ${part}`);
  }
});

test('every used page that holds something else is recognised, whatever it holds', async () => {
  await using store = await fileOfStore();
  const octets = readFileSync(store.file);
  const pages = octets.length / page;
  let recognised = 0;
  for (let at = 2; at < pages; at += 1) {
    const other = octets.subarray((at - 1) * page, at * page);
    const faultsHere = [Buffer.alloc(page), Buffer.alloc(page, 0xff), other].map((content) =>
      damaged(store.file, store.copy, at * page, content),
    );
    // A page is in use or free: either all three are seen, or none matters.
    assert.equal(
      new Set(faultsHere.map((fault) => fault === undefined)).size,
      1,
      `page ${at}: ${faultsHere.join(' | ')}`,
    );
    if (faultsHere[0] !== undefined) recognised += 1;
  }
  assert.ok(recognised > pages / 3, `${recognised} of ${pages} pages are in use`);
});
