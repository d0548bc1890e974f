import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DirectoryStore } from '../../src/directory/index.ts';
import { openOlder } from '../../src/directory/store/files/environment.ts';
import { backupFolder, upgradeStore } from '../../src/directory/store/files/upgrade.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';
import { HandClock } from './store-for-test.ts';

// One small store of each layout that a version of this program has written stays in test/states for ever.
const states = fileURLToPath(new URL('../states/', import.meta.url));
const kept = [1];

function storeOf(t: TestContext, layout: number): string {
  const top = mkdtempSync(join(tmpdir(), 'edge-states-'));
  t.after(() => rmSync(top, { recursive: true }));
  const path = join(top, 'directory');
  const octets = gunzipSync(readFileSync(join(states, `directory-store-v${layout}.mdb.gz`)));
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'data.mdb'), octets, { mode: 0o600 });
  return path;
}

/** Another number in the store, as another program would have written it. */
async function renumber(path: string, layout: number): Promise<void> {
  const environment = openOlder(path);
  await environment.meta.put('layout', layout);
  await environment.root.close();
}

async function layoutIn(path: string): Promise<unknown> {
  const environment = openOlder(path);
  const found = environment.meta.get('layout');
  await environment.root.close();
  return found;
}

for (const layout of kept) {
  test(`a directory store of layout ${layout} is opened and holds what it held`, async (t) => {
    const path = storeOf(t, layout);
    // In the time of its tombstones.
    await using store = await DirectoryStore.open({ path, schema: productSchema(), clock: new HandClock() });
    const entry = store.get('CN=Ada Lovelace,DC=example');
    assert.deepEqual(
      [entry?.values('sn'), entry?.values('description'), entry?.guid, entry?.usn],
      [['Lövelace'], ['first', 'second'], store.lookupEquality('mail', 'ADA@example.com')[0]?.guid, 2],
    );
    assert.deepEqual(
      [...store.tombstones()].map(({ dn }) => dn.includes('Gone')),
      [true],
    );
    assert.ok(store.schema.describe('stateProbe'), 'what extended the schema is there');
    assert.deepEqual(store.verify(), []);
    assert.deepEqual(
      store.changesSince(0).changes.map(({ kind }) => kind),
      ['add', 'add', 'add', 'delete'],
    );
  });
}

test('a store of a newer program is refused with the reason, and not touched', async (t) => {
  const path = storeOf(t, 1);
  await renumber(path, 9);
  for (const readOnly of [true, false])
    await assert.rejects(DirectoryStore.open({ path, schema: productSchema(), readOnly }), {
      name: 'StoreError',
      reason: 'format',
      message: /has layout 9, this program knows 1 at most: a newer program wrote it/,
    });
  assert.equal(await layoutIn(path), 9);
});

test('a store of an older layout is refused to readers, who name the way', async (t) => {
  const path = storeOf(t, 1);
  await renumber(path, 0);
  await assert.rejects(DirectoryStore.open({ path, schema: productSchema(), readOnly: true }), {
    reason: 'format',
    message: /'edge start' upgrades it/,
  });
  // There never was a layout before the first: the writer has no step for it.
  await assert.rejects(DirectoryStore.open({ path, schema: productSchema() }), {
    reason: 'format',
    message: /no way leads from layout 0/,
  });
});

test('an older store is upgraded step by step, its copy is kept, and what was cut off goes on', async (t) => {
  const path = storeOf(t, 1);
  const ran: number[] = [];
  let fails = true;
  const step = (from: number) => ({
    from,
    run: (environment: ReturnType<typeof openOlder>): void => {
      ran.push(from);
      void environment.meta.put('schemaExtensions', [`step ${from}`]);
      if (from === 2 && fails) throw new Error('cut off');
    },
  });
  const upgrade = (): Promise<void> => upgradeStore(path, { to: 3, known: [step(2), step(1)] });
  await assert.rejects(upgrade(), /cut off/);
  assert.equal(await layoutIn(path), 2, 'the first step is kept, the second left nothing');
  fails = false;
  await upgrade();
  assert.deepEqual([ran, await layoutIn(path)], [[1, 2, 2], 3]);
  await using before = await DirectoryStore.open({
    path: backupFolder(path, 1),
    schema: productSchema(),
    readOnly: true,
  });
  assert.ok(before.get('CN=Ada Lovelace,DC=example'), 'the copy is a whole store of the layout before');
});
