/** The program in a folder with an unusual name, called through a link. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'edge-any-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a blank, '#', '%' and 'ü' in the path of the program are letters like any other", () => {
  const home = join(import.meta.dirname, '../..');
  const odd = join(folder, "a b#c%20ü'd");
  mkdirSync(odd);
  for (const name of ['src', 'ldap', 'package.json']) cpSync(join(home, name), join(odd, name), { recursive: true });
  symlinkSync(join(home, 'node_modules'), join(odd, 'node_modules'));
  symlinkSync(odd, join(folder, 'link'));
  const args = ['shell', '--state', join(folder, 'state'), '-c', '(Get-ReceiveConnector).Enabled'];
  const { status, stdout, stderr } = spawnSync(join(folder, 'link/src/bin/edge'), args, { encoding: 'utf8' });
  assert.deepEqual([status, stdout.trim(), stderr], [0, 'True', '']);
});
