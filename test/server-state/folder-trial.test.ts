import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { prepareStateFolder, statePaths } from '../../src/processes/state/index.ts';
import { FolderTrial } from '../../src/server-state/index.ts';

const root = mkdtempSync(join(tmpdir(), 'edge-folders-'));
const paths = statePaths(join(root, 'state'));
prepareStateFolder(paths);
writeFileSync(join(root, 'file'), '');
mkdirSync(join(root, 'closed'));
chmodSync(join(root, 'closed'), 0o500);
symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
after(() => rmSync(root, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;

/** Issue: '-MessageTrackingLogPath /proc/edge/tracking' was accepted, and all SMTP stood still at the next message. */
const cases: readonly (readonly [path: string, reason: RegExp | undefined])[] = [
  ['logs/MessageTracking', undefined],
  ['logs/a/b/c', undefined],
  [join(root, 'elsewhere/tracking'), undefined],
  ['/proc/edge/tracking', /a file system of the kernel \(proc\)/],
  ['/proc', /a file system of the kernel \(proc\)/],
  ['/sys/kernel/edge', /a file system of the kernel/],
  ['/dev/null', /a file stands where a folder is needed/],
  [join(root, 'file'), /a file stands where a folder is needed/],
  [join(root, 'file/tracking'), /a file stands where a folder is needed/],
  [join(root, 'dangling'), /a file stands where a folder is needed/],
  [join(root, 'x'.repeat(300)), /too long/],
  ['spool', /kept for other files/],
  ['directory/logs', /kept for other files/],
  ['certificates', /kept for other files/],
  ...(isRoot ? [] : [[join(root, 'closed/tracking'), /the account '.+' of the service may not write there/] as const]),
];

for (const [path, reason] of cases) {
  test(`a folder that is set is tried: ${path.replace(root, '…').slice(0, 60)}`, async () => {
    const found = await new FolderTrial(paths).refusal(path);
    if (reason === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', reason);
  });
}

test('a trial leaves nothing behind', () => {
  assert.deepEqual(readdirSync(root).toSorted(), ['closed', 'dangling', 'file', 'state']);
  assert.deepEqual(readdirSync(paths.logs), []);
});
