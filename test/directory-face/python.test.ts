import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { adminDn, password, root, startFace } from './face.ts';

test('the whole round with ldap3 and python-ldap', async () => {
  await using face = await startFace();
  // Debian's own Python: the one the modules are packaged for.
  const run = promisify(execFile);
  const ended = run('/usr/bin/python3', ['test/directory-face/round.py', String(face.port), root, adminDn, password], {
    timeout: 30_000,
  });
  await assert.doesNotReject(ended);
});
