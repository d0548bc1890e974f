import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { replaceFile } from '../../src/base/index.ts';

test('a file is replaced as a whole, mode 0600, and nothing else is left', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'secret');
  await replaceFile(path, 'one');
  await replaceFile(path, Buffer.from('two'));
  assert.equal(readFileSync(path, 'utf8'), 'two');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['secret']);
});

test('a folder that is not there is an error, and leaves nothing', async () => {
  await assert.rejects(replaceFile(join(tmpdir(), 'edge-no-such-folder', 'x'), 'one'), { code: 'ENOENT' });
});
