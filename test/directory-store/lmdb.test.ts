/** What the store takes from lmdb beyond its documentation: another version that acts otherwise fails here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
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

test('lmdb: work without an inner transaction sees its own writes, and one that throws first takes nothing of the others along', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'edge-lmdb-')), 'store');
  t.after(() => rmSync(join(path, '..'), { recursive: true }));
  const root = open<string, string>({ path, overlappingSync: false, eventTurnBatching: false, noSubdir: false });
  try {
    const write = (key: string, fails: boolean): Promise<string | undefined> =>
      root.transaction(() => {
        if (fails) throw new Error(key);
        void root.put(key, 'there');
        return root.get(key);
      });
    const outcomes = await Promise.allSettled([write('a', false), write('b', true), write('c', false)]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'threw')),
      ['there', 'threw', 'there'],
    );
    assert.deepEqual([...root.getKeys()], ['a', 'c']);
  } finally {
    await root.close();
  }
});

test('lmdb: info and stats count the pages that are used, and where they end', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'edge-lmdb-'));
  t.after(() => rmSync(path, { recursive: true }));
  const root = open<Buffer, number>(path, { encoding: 'binary', pageSize: 4_096, overlappingSync: false });
  try {
    const { env } = root as unknown as { readonly env: { info(): { readonly lastPageNumber: number } } };
    interface Pages {
      readonly treeLeafPageCount: number;
      readonly overflowPages: number;
      readonly root: object;
      readonly free: object;
    }
    const pages = (): Pages => root.getStats() as Pages;
    const [before, end] = [pages(), env.info().lastPageNumber];
    await root.put(1, Buffer.alloc(40_960));
    const after = pages();
    assert.equal(after.overflowPages - before.overflowPages, 11, 'ten pages and their head');
    assert.equal(after.treeLeafPageCount, 1);
    assert.deepEqual([typeof after.root, typeof after.free], ['object', 'object']);
    assert.ok(env.info().lastPageNumber >= end + 11);
    assert.ok((env.info().lastPageNumber + 1) * 4_096 <= statSync(join(path, 'data.mdb')).size);
  } finally {
    await root.close();
  }
});

test('lmdb: a commit that fails rejects with commitError, whose reason is that of the system', async () => {
  const path = mkdtempSync(join(tmpdir(), 'edge-lmdb-'));
  try {
    // A file may not become longer than so many blocks; the signal is ignored, so that the write fails.
    const child = `
      import { open } from 'lmdb';
      const root = open(${JSON.stringify(path)}, { encoding: 'binary', overlappingSync: false, eventTurnBatching: false });
      try {
        await root.transaction(() => void root.put('a', Buffer.alloc(4_000_000)));
        console.log('written');
      } catch (error) {
        const second = error.commitError;
        const why = second instanceof Promise ? await second.then(() => 'nothing', (reason) => reason.message) : 'none';
        console.log(JSON.stringify({ first: error.message, why }));
      }
      process.exit(0);`;
    const output = execFileSync(
      'bash',
      ['-c', `trap '' XFSZ; ulimit -f 400; exec "$0" --input-type=module -e "$1"`, process.execPath, child],
      { encoding: 'utf8', cwd: join(import.meta.dirname, '../..'), timeout: 300_000 },
    );
    const { why } = JSON.parse(output) as { readonly why: string };
    assert.match(why, /file too large|no space|input\/output error/i);
  } finally {
    rmSync(path, { recursive: true });
  }
});
