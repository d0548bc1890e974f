/** The filter of hashes that are in no entry: it never calls one absent that is there. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AbsentHashes } from '../../src/edge-sync/edge/absent-hashes.ts';
import { admin, asProduct, attributes, emptyStore } from '../directory-store/store-for-test.ts';

const attribute = 'edgeHashedAddress';
function hashes(count: number): Buffer[] {
  const octets = randomBytes(count * 32);
  return Array.from({ length: count }, (_, i) => octets.subarray(i * 32, (i + 1) * 32));
}
const words = (octets: Buffer): Int32Array => new Int32Array(Uint8Array.from(octets).buffer);

/** Looks up in vain until the filter is read, or for as many turns of the event loop as would do many times. */
async function flood(absent: AbsentHashes, lookups: number): Promise<boolean> {
  for (let i = 0; i < lookups; i += 1) absent.missed();
  return turns(absent);
}

async function turns(absent: AbsentHashes): Promise<boolean> {
  const strangers = hashes(50).map(words);
  for (let i = 0; i < 2_000; i += 1) {
    // One of 400 passes for one that may be there.
    if (strangers.filter((hash) => absent.has(hash)).length > 40) return true;
    await setImmediate();
  }
  return false;
}

test('the hashes of a directory: read when enough were asked for in vain, kept up with what changes', async () => {
  await using world = await emptyStore();
  const { store } = world;
  await store.add('o=x', attributes({ objectClass: 'organization' }), asProduct);
  const add = (name: string, values: readonly Buffer[]) =>
    store.add(`cn=${name},o=x`, attributes({ objectClass: 'edgeRecipient', [attribute]: values }), asProduct);
  const held = hashes(1_200);
  for (let i = 0; i < 3; i += 1) await add(String(i), held.slice(i * 400, (i + 1) * 400));
  const absent = new AbsentHashes({ store, probe: store.valueProbe(attribute, 32), attribute });
  const [stranger = Buffer.alloc(0), later = Buffer.alloc(0), added = Buffer.alloc(0)] = hashes(3);
  assert.equal(absent.has(words(stranger)), false, 'nothing is known yet');
  for (let i = 0; i < 9_999; i += 1) absent.missed();
  await setImmediate();
  assert.equal(absent.has(words(stranger)), false, 'not worth reading yet');
  assert.ok(await flood(absent, 1));
  const noneIsAbsent = (of: readonly Buffer[]): void =>
    assert.deepEqual(
      of.filter((hash) => absent.has(words(hash))),
      [],
    );
  noneIsAbsent(held);

  await add('new', [later]);
  await store.modify('cn=new,o=x', [{ operation: 'add', attribute, values: [added] }], admin);
  await store.modify(
    'cn=new,o=x',
    [{ operation: 'replace', attribute: 'description', values: [Buffer.from('x')] }],
    admin,
  );
  await store.modifyDn('cn=new,o=x', { newRdn: 'cn=newer', deleteOldRdn: true }, admin);
  await store.delete('cn=0,o=x', admin);
  absent.follow();
  noneIsAbsent([later, added, ...held.slice(400)]);
  assert.ok(await turns(absent), 'it still tells the others apart');

  const many = hashes(1_000);
  await store.batch(
    many.map((hash, i) => ({
      kind: 'add',
      dn: `cn=many${i},o=x`,
      attributes: attributes({ objectClass: 'edgeRecipient', [attribute]: [hash] }),
    })),
    asProduct,
  );
  absent.follow();
  noneIsAbsent([...many, ...hashes(100)]);
  assert.ok(await flood(absent, 10_000), 'read anew');
  noneIsAbsent([...many, later, added, ...held.slice(400)]);
});

/** A directory of hashes, which it gives in their order. */
function scripted(given: readonly Buffer[]) {
  const held = given.toSorted(Buffer.compare);
  const state = { reads: 0, closed: false };
  const places = new Map(held.map((hash, i) => [hash, i]));
  const store = { usn: 1, changesSince: () => ({ complete: true, changes: [], usn: 1 }), byGuid: () => undefined };
  const heldAfter = (value: Buffer | undefined, limit: number): readonly Buffer[] => {
    if (state.closed) throw new Error('closed');
    state.reads += 1;
    const from = value === undefined ? 0 : (places.get(value) ?? 0) + 1;
    return held.slice(from, from + limit);
  };
  return { state, absent: new AbsentHashes({ store, probe: { heldAfter }, attribute }) };
}

test('a large organization: the filter grows with it, and stays as good', async () => {
  const held = hashes(70_000);
  const { absent } = scripted(held);
  assert.ok(await flood(absent, 10_000));
  assert.equal(held.filter((hash) => absent.has(words(hash))).length, 0);
  const strangers = hashes(20_000).filter((hash) => !absent.has(words(hash))).length;
  assert.ok(strangers < 200, `${strangers} of 20,000 pass for known ones`);
});

test('hashes that do not lie evenly: the filter is read with twice the size until they have room', async () => {
  const held = hashes(70_000);
  for (const hash of held.slice(3_000)) hash.fill(255, 0, 1);
  const { absent } = scripted(held);
  assert.ok(await flood(absent, 10_000));
  assert.equal(held.filter((hash) => absent.has(words(hash))).length, 0);
});

test('a directory that cannot be read: every hash is looked up, and reading is tried again', async () => {
  const { state, absent } = scripted(hashes(3_000));
  state.closed = true;
  assert.equal(await flood(absent, 10_000), false);
  state.closed = false;
  assert.ok(await flood(absent, 10_000));
  assert.equal(state.reads, 3, 'one for an estimate, two for all');
});
