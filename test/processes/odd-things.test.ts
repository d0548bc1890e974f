import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareStateFolder, StateError, statePaths } from '../../src/processes/state/index.ts';

const isRoot = process.getuid?.() === 0;

/** What stands in the state, and how it is named; undefined: it may stand there. */
const things: readonly (readonly [name: string, make: (path: string) => void, told: RegExp | undefined])[] = [
  ['logs/Decisions', (path) => symlinkSync('/etc', path), /logs\/Decisions is a link/],
  ['certificates/below/key.pem', (path) => symlinkSync('/nowhere', path), /key\.pem is a link/],
  ['spool/0', (path) => execFileSync('mkfifo', [path]), /spool\/0 is a pipe or a device/],
  ['run', (path) => chmodSync(path, 0o777), /others may write in .*run: chmod go-w/],
  ['spool/lost+found', (path) => symlinkSync('/', path), undefined],
  ['mailboxes/a', (path) => symlinkSync('/', path), undefined],
  ...(isRoot
    ? ([
        ['directory/data.mdb', another, /data\.mdb belongs to the account 5: remove it, or give it/],
        ['logs/old.gz', another, undefined],
      ] as const)
    : []),
];

function another(path: string): void {
  writeFileSync(path, '');
  lchownSync(path, 5, 60);
}

test('what does not belong in a state is named, however deep it lies', (t) => {
  for (const [name, make, told] of things) {
    const root = mkdtempSync(join(tmpdir(), 'edge-odd-'));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    const paths = statePaths(root);
    prepareStateFolder(paths);
    mkdirSync(join(root, name, '..'), { recursive: true });
    make(join(root, name));
    if (told === undefined) assert.doesNotThrow(() => prepareStateFolder(paths), name);
    else
      assert.throws(
        () => prepareStateFolder(paths),
        (error) => error instanceof StateError && told.test(error.message),
        name,
      );
  }
});
