/** Whatever happens at the source and wherever a run is cut, the next whole run ends with the edge as the source says. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSchema } from '../../src/directory/index.ts';
import { EdgeWriter } from '../../src/edge-sync/inside/edge-writer.ts';
import { Mirror } from '../../src/edge-sync/inside/mirror.ts';
import { SourceReader } from '../../src/edge-sync/inside/source-reader.ts';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import { RecipientMapping } from '../../src/edge-sync/recipient-mapping.ts';
import { LdapError } from '../../src/ldap/index.ts';
import fc from '../lib/properties.ts';
import { type Cut, MemoryEdge, MemorySource } from './memory-edge.ts';

const schema = await loadSchema('ldap/schema');
const mapping = new RecipientMapping(
  { addressAttributes: ['proxyAddresses'], bases: [], excludedBases: [], filter: '', disabledAccounts: 'keep' },
  { exchangeSchema: false, schema },
);
const hasher = new RecipientHasher(newRecipientKey());
const signal = new AbortController().signal;

interface World extends AsyncDisposable {
  readonly source: MemorySource;
  readonly edge: MemoryEdge;
  /** One run; false when it was cut. The mirror is closed and opened again, as by a process that died. */
  run(options?: { cut?: Cut; incompleteAfter?: number; force?: boolean }): Promise<boolean>;
  writer(use: (writer: EdgeWriter) => Promise<void>): Promise<void>;
}

function world(): World {
  const folder = mkdtempSync(join(tmpdir(), 'edge-sync-'));
  const source = new MemorySource();
  const edge = new MemoryEdge(hasher);
  return {
    source,
    edge,
    async run({ cut, incompleteAfter, force = true } = {}) {
      await using mirror = Mirror.open(folder);
      const writer = new EdgeWriter(mirror, await mirror.addEdge('EDGE1'));
      source.incompleteAfter = incompleteAfter;
      edge.writes = 0;
      edge.cut = cut;
      try {
        await new SourceReader(mirror, mapping).read(source, { signal });
        await writer.write(edge, { force, additions: true, signal });
        return true;
      } catch (error) {
        assert.ok(error instanceof LdapError, String(error));
        return false;
      } finally {
        edge.cut = undefined;
      }
    },
    async writer(use) {
      await using mirror = Mirror.open(folder);
      await use(new EdgeWriter(mirror, await mirror.addEdge('EDGE1')));
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const wanted = (source: MemorySource): Record<string, readonly string[]> =>
  Object.fromEntries(
    [...source.objects]
      .filter(([, addresses]) => addresses.length > 0)
      .map(([id, addresses]) => [id, [...new Set(addresses)].sort()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const addresses = fc.array(fc.constantFrom('x@corp.example', 'y@corp.example', 'z@corp.example'), { maxLength: 3 });
const step = fc.record({
  changes: fc.array(fc.tuple(ids, fc.option(addresses, { nil: undefined })), { maxLength: 6 }),
  cut: fc.option(fc.record({ after: fc.nat(5), silently: fc.boolean() }), { nil: undefined }),
  incompleteAfter: fc.option(fc.nat(3), { nil: undefined }),
});

test('any changes and any cuts end with the edge as the source says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      await using here = world();
      for (const { changes, cut, incompleteAfter } of steps) {
        for (const [id, values] of changes) here.source.set(id, values);
        await here.run({ ...(cut && { cut }), ...(incompleteAfter !== undefined && { incompleteAfter }) });
      }
      assert.ok(await here.run());
      assert.deepEqual(here.edge.content, wanted(here.source));
      await here.writer(async (writer) => {
        assert.equal((await writer.compare(here.edge, hasher)).differing, 0, 'a full compare finds nothing');
        assert.equal(writer.counts.added + writer.counts.updated + writer.counts.deleted, 0);
      });
    }),
    { numRuns: Number(process.env['EDGE_SYNC_RUNS'] ?? 15) },
  );
});

test('an incomplete reading takes nothing away, however much is missing', async () => {
  await using here = world();
  for (const id of ['a', 'b', 'c']) here.source.set(id, [`${id}@corp.example`]);
  await here.run();
  here.source.set('a', undefined);
  here.source.set('b', ['other@corp.example']);
  await here.run({ incompleteAfter: 2 });
  assert.deepEqual(here.edge.content['a'], ['a@corp.example']);
  assert.deepEqual(here.edge.content['b'], ['b@corp.example', 'other@corp.example'], 'an addition is written');
  await here.run();
  assert.deepEqual(here.edge.content, { b: ['other@corp.example'], c: ['c@corp.example'] });
});

test('the brake holds what would be lost, and lets additions through', async () => {
  await using here = world();
  for (let i = 0; i < 40; i++) here.source.set(`r${i}`, [`r${i}@corp.example`]);
  await here.run();
  for (let i = 0; i < 11; i++) here.source.set(`r${i}`, undefined);
  here.source.set('new', ['new@corp.example']);
  await here.run({ force: false });
  assert.equal(here.edge.recipients.size, 41, 'nothing is lost and one came');
  await here.run({ force: true });
  assert.equal(here.edge.recipients.size, 30);
});

test('new GUIDs with the same addresses are no loss', async () => {
  await using here = world();
  for (let i = 0; i < 40; i++) here.source.set(`old${i}`, [`r${i}@corp.example`]);
  await here.run();
  for (let i = 0; i < 40; i++) {
    here.source.set(`old${i}`, undefined);
    here.source.set(`new${i}`, [`r${i}@corp.example`]);
  }
  assert.ok(await here.run({ force: false }));
  assert.deepEqual(here.edge.content, wanted(here.source));
});

test('an edge that was changed behind the back of the inside is found by a full compare', async () => {
  await using here = world();
  for (const id of ['a', 'b', 'c']) here.source.set(id, [`${id}@corp.example`]);
  await here.run();
  here.edge.recipients.delete('a');
  here.edge.recipients.set('b', ['stranger@corp.example']);
  here.edge.recipients.set('ghost', ['ghost@corp.example']);
  await here.writer(async (writer) => {
    assert.equal((await writer.compare(here.edge, hasher)).differing, 3);
    await writer.write(here.edge, { force: true, signal });
  });
  assert.deepEqual(here.edge.content, wanted(here.source));
});

test('the last runs are undone one by one', async () => {
  await using here = world();
  here.source.set('a', ['a@corp.example']);
  await here.run();
  here.source.set('a', ['a2@corp.example']);
  here.source.set('b', ['b@corp.example']);
  await here.run();
  here.source.set('a', undefined);
  await here.run();
  await here.writer(async (writer) => void (await writer.undo(here.edge, 2, signal)));
  assert.deepEqual(here.edge.content, { a: ['a@corp.example'] });
  await here.run();
  assert.deepEqual(here.edge.content, { b: ['b@corp.example'] }, 'what was undone comes back with the next run');
});
