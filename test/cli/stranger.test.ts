import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const edge = fileURLToPath(new URL('../../src/bin/edge.ts', import.meta.url));
/** An account that owns nothing; whoever is not root takes away their own rights instead. */
const asStranger = process.getuid?.() === 0 ? ['setpriv', '--reuid=23456', '--regid=23456', '--clear-groups'] : ['env'];

test('edge shell tells a stranger who may administer the state, and exits with 2', () => {
  const state = mkdtempSync(join(tmpdir(), 'edge-stranger-'));
  try {
    chmodSync(state, process.getuid?.() === 0 ? 0o700 : 0o000);
    const [command = '', ...before] = [...asStranger, process.execPath, edge];
    const args = [...before, 'shell', '--state', state, '-c', 'Get-ReceiveConnector'];
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    assert.equal(
      stderr,
      `edge: you may not administer ${state}: only root and the account that owns it may; run the command as one of them, or let a group in with edge start --admin-group\n`,
    );
    assert.equal(stdout, '');
    assert.equal(status, 2);
  } finally {
    chmodSync(state, 0o700);
    rmSync(state, { recursive: true });
  }
});
