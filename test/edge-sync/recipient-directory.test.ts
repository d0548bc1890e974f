/** What the mail path knows of recipients, and how old that is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DirectoryEntry, ValueProbe } from '../../src/directory/index.ts';
import { FoundHashes } from '../../src/edge-sync/edge/found-hashes.ts';
import { keepRecipientKey, RecipientDirectory, recipientKeyFile } from '../../src/edge-sync/edge/index.ts';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import { entryFrom, formatGeneralizedTime } from '../../src/ldap/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-recipients-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = { configurationDn: 'CN=Configuration', serverDn: 'CN=EDGE1,CN=Servers', serverName: 'EDGE1' };
const key = newRecipientKey();
const start = Date.UTC(2026, 0, 5, 10);

/** A directory with these addresses, whose heartbeat can be set. */
function world(addresses: readonly string[]) {
  const hasher = new RecipientHasher(key);
  const hashes = new Set(addresses.map((address) => hasher.hash(address).toString('hex')));
  const state = { now: start, usn: 1, run: 0, at: start, asked: 0 };
  const store = {
    valueProbe: (_attribute: string, octets: number): ValueProbe => {
      const value = Buffer.alloc(octets);
      const holds = (): boolean => {
        state.asked += 1;
        return hashes.has(value.toString('hex'));
      };
      return { value, holds, heldAfter: () => [] };
    },
    get usn(): number {
      return state.usn;
    },
    changesSince: () => ({ complete: true, changes: [], usn: state.usn }),
    byGuid: () => undefined,
    get: (): DirectoryEntry => {
      const values = { edgeSyncRun: [String(state.run)], modifyTimestamp: [formatGeneralizedTime(state.at)] };
      return Object.assign(entryFrom('CN=Heartbeat', values), { usn: state.usn }) as unknown as DirectoryEntry;
    },
  };
  const clock = { now: () => state.now };
  const directory = new RecipientDirectory({ store, place, keyFile: recipientKeyFile(folder), clock });
  const beat = (): void => void Object.assign(state, { run: state.run + 1, usn: state.usn + 1, at: state.now });
  /** Takes an address out of the directory. */
  const remove = (address: string): void => {
    hashes.delete(hasher.hash(address).toString('hex'));
    state.usn += 1;
  };
  return { directory, state, beat, remove };
}

test('without a key nobody knows; with one, and before the first run has ended, nothing is said to be unknown', async () => {
  const { directory, beat } = world(['jane@corp.example']);
  assert.equal(directory.lookup('jane', 'corp.example').kind, 'no-subscription');
  await keepRecipientKey(recipientKeyFile(folder), key);
  directory.refresh();
  assert.equal(directory.lookup('jane', 'corp.example').kind, 'known');
  assert.equal(directory.lookup('nobody', 'corp.example').kind, 'no-subscription');
  beat();
  assert.deepEqual(directory.lookup('nobody', 'corp.example'), { kind: 'unknown', ageMs: 0 });
});

test('case and plus addresses are one recipient; another domain is another one', async () => {
  await keepRecipientKey(recipientKeyFile(folder), key);
  const { directory, beat } = world(['jane@corp.example']);
  beat();
  for (const local of ['jane', 'JANE', 'Jane+news', 'jane+a+b'])
    assert.equal(directory.lookup(local, 'corp.example').kind, 'known', local);
  for (const [local, domain] of [
    ['jane', 'sub.corp.example'],
    ['jan', 'corp.example'],
    ['+jane', 'corp.example'],
  ] as const)
    assert.equal(directory.lookup(local, domain).kind, 'unknown', `${local}@${domain}`);
});

test('what was found is not asked for again, until the directory changes: then within a second', async () => {
  await keepRecipientKey(recipientKeyFile(folder), key);
  const { directory, state, beat, remove } = world(['jane@corp.example', 'john@corp.example']);
  beat();
  const kindOf = (local: string): string => directory.lookup(local, 'corp.example').kind;
  assert.deepEqual(['jane', 'jane', 'JANE+x', 'john'].map(kindOf), ['known', 'known', 'known', 'known']);
  // The address with its part behind the plus is another one, and is not there.
  assert.equal(state.asked, 3);
  remove('jane@corp.example');
  state.now += 1000;
  assert.deepEqual(['jane', 'john', 'john'].map(kindOf), ['unknown', 'known', 'known']);
  assert.equal(state.asked, 5);
});

test('a hash that was found is known by all of its words', () => {
  const found = new FoundHashes();
  const first = Int32Array.of(65_536 * 5, 1, 2, 3, 4, 5, 6, 7);
  assert.equal(found.has(new Int32Array(8)), false, 'before the first');
  found.add(first);
  assert.equal(found.has(Int32Array.from(first)), true);
  for (let i = 0; i < 8; i += 1) {
    // The same places in the table.
    const other = Int32Array.from(first, (word, at) => (at === i ? word + 65_536 : word));
    assert.equal(found.has(other), false, `word ${i}`);
  }
  const [second, third] = [6, 7].map((n) => Int32Array.of(65_536 * n, 1, 2, 3, 4, 5, 6, 7)) as [Int32Array, Int32Array];
  found.add(second);
  assert.deepEqual([found.has(first), found.has(second)], [true, true], 'two have room');
  found.add(third);
  assert.deepEqual([found.has(first), found.has(second), found.has(third)], [false, true, true]);
  found.clear();
  assert.equal(found.has(third), false);
});

test('the table of found hashes grows where many are asked for, and a clear table is no sign of many', () => {
  const hash = (i: number): Int32Array => Int32Array.of(i, 1, 2, 3, 4, 5, 6, 7);
  // Hashes that share a pair of places in the first table, and not in the next ones.
  const pairs = 32_768;
  const apart = (found: FoundHashes): boolean => {
    for (const n of [1, 2, 3]) found.add(hash(pairs * n));
    return [1, 2, 3].every((n) => found.has(hash(pairs * n)));
  };
  const [many, few] = [new FoundHashes(), new FoundHashes()];
  for (let i = 0; i < 65_536; i += 1) {
    many.add(hash(i));
    few.add(hash(i));
  }
  few.clear();
  for (const found of [many, few]) for (let i = 0; i < 10; i += 1) found.add(hash(i));
  assert.deepEqual([apart(many), apart(few)], [true, false]);
  for (const i of [100, 40_000, 65_535]) assert.ok(many.has(hash(i)), 'what the smaller table held is still known');
});

test('the age grows with the clock and begins anew with each run', async () => {
  await keepRecipientKey(recipientKeyFile(folder), key);
  const { directory, state, beat } = world([]);
  beat();
  const age = (): number => {
    const found = directory.lookup('nobody', 'corp.example');
    return found.kind === 'unknown' ? found.ageMs : Number.NaN;
  };
  assert.equal(age(), 0);
  state.now += 8 * 86_400_000;
  assert.equal(age(), 8 * 86_400_000);
  beat();
  state.now += 1000;
  assert.equal(age(), 1000, 'it is read anew within a second');
  await keepRecipientKey(recipientKeyFile(folder), undefined);
  directory.refresh();
  assert.ok(Number.isNaN(age()), 'the subscription has ended');
});
