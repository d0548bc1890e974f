/** What the store takes from lmdb beyond its documentation: another version that acts otherwise fails here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from 'lmdb';

test('lmdb: an inner transaction that throws leaves nothing, the others of the same commit stay', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'edge-lmdb-')), 'store');
  t.after(() => rmSync(join(path, '..'), { recursive: true }));
  const root = open<string, string>({ path, overlappingSync: false, eventTurnBatching: false, noSubdir: false });
  try {
    const write = (key: string, fails: boolean): Promise<void> =>
      root.transaction(() =>
        root.transactionSync(() => {
          void root.put(key, 'there');
          if (fails) throw new Error(key);
        }),
      );
    const outcomes = await Promise.allSettled([write('a', false), write('b', true), write('c', false)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    // What was read within the aborted transaction must not stay in the view.
    root.resetReadTxn();
    assert.deepEqual([...root.getKeys()], ['a', 'c']);
  } finally {
    await root.close();
  }
});
