/** What the mail path knows of recipients, and how old that is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DirectoryEntry } from '../../src/directory/index.ts';
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
  const state = { now: start, usn: 1, run: 0, at: start };
  const store = {
    hasValue: (_attribute: string, value: Buffer) => hashes.has(value.toString('hex')),
    get: (): DirectoryEntry => {
      const values = { edgeSyncRun: [String(state.run)], modifyTimestamp: [formatGeneralizedTime(state.at)] };
      return Object.assign(entryFrom('CN=Heartbeat', values), { usn: state.usn }) as unknown as DirectoryEntry;
    },
  };
  const clock = { now: () => state.now };
  const directory = new RecipientDirectory({ store, place, keyFile: recipientKeyFile(folder), clock });
  const beat = (): void => void Object.assign(state, { run: state.run + 1, usn: state.usn + 1, at: state.now });
  return { directory, state, beat };
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
