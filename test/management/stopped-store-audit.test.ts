/** Who stands in the admin audit log when a stopped state is changed: who called, not the account that the command became. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { edgeCommand } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';

const games = ['setpriv', '--reuid=5', '--regid=60', '--clear-groups'];

test('the audit log of a stopped state names the caller', { ...needs('root'), timeout: 300_000 }, async (t) => {
  const top = mkdtempSync(join(tmpdir(), 'edge-audit-'));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  chmodSync(top, 0o755);
  const state = join(top, 'state');
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, 5, 60);
  const run = async (command: readonly string[], sudoer?: string): Promise<string> => {
    const [file = '', ...args] = [...command, '--state', state];
    const { SUDO_USER: _, ...env } = process.env;
    const options = { timeout: 300_000, env: { ...env, ...(sudoer !== undefined && { SUDO_USER: sudoer }) } };
    return (await promisify(execFile)(file, args, options)).stdout;
  };
  const add = (name: string): string[] => [
    edgeCommand,
    'shell',
    '-c',
    `New-AcceptedDomain ${name} -DomainName ${name}`,
  ];
  await run([...games, ...add('one.example')]);
  await run(add('two.example'));
  await run(add('three.example'), 'alice');
  // Whoever is not root has no say about who became it.
  await run([...games, ...add('four.example')], 'alice');
  await run([edgeCommand, 'directory', 'export'], 'alice');
  const line = 'Search-AdminAuditLog | ForEach-Object { "$($_.Caller): $($_.CmdletName)" }';
  const told = (await run([edgeCommand, 'shell', '-c', line])).trim().split('\n');
  assert.deepEqual(told.toReversed(), [
    'games: New-AcceptedDomain',
    'root: New-AcceptedDomain',
    'root (alice by sudo): New-AcceptedDomain',
    'games: New-AcceptedDomain',
    'root (alice by sudo): edge directory export',
  ]);
});
