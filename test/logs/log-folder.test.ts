import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { refusalOfLogFolder } from '../../src/logs/index.ts';

const rows: readonly (readonly [what: string, path: (folder: string) => string, refusal: RegExp | undefined])[] = [
  ['a folder that can be made', (folder) => join(folder, 'a', 'b'), undefined],
  ['below /proc', () => '/proc/edge/tracking', /ENOENT/],
  ['/proc itself', () => '/proc', /file system of the kernel/],
  ['/sys/kernel', () => '/sys/kernel', /file system of the kernel/],
  ['below a file', (folder) => join(folder, 'file', 'x'), /ENOTDIR/],
  ['a file', (folder) => join(folder, 'file'), /is no folder/],
  ['a device', () => '/dev/null', /is no folder/],
];
for (const [what, pathIn, refusal] of rows) {
  test(`a path for logs is tried: ${what} is ${refusal === undefined ? 'taken' : 'refused with the reason'}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-log-folder-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'file'), '');
    const found = await refusalOfLogFolder(pathIn(folder));
    if (refusal === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', refusal);
  });
}
