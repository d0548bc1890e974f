import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { edgeCommand } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';

const unit = new URL('../../src/processes/launch/edge.service', import.meta.url).pathname;
const text = readFileSync(unit, 'utf8');

/** Exposure as systemd counts it, tenfold: 30 is "OK", an unhardened service has 96. */
const threshold = 30;

test('the unit is as closed as it says', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return t.skip('systemd-analyze is not installed');
  const args = ['security', '--offline=true', '--no-pager', `--threshold=${threshold}`, unit];
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}`);
  for (const setting of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'SystemCallFilter=@system-service'])
    assert.ok(text.includes(`\n${setting}\n`), setting);
  // V8 compiles; the folder of the endpoint has the set-group-id bit; locks look for the process that holds them.
  assert.doesNotMatch(text, /^(MemoryDenyWriteExecute|RestrictSUIDSGID|ProtectProc|ProcSubset)=/m);
});

test('the service runs with no more of root than the unit leaves it', { timeout: 120_000 }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give capabilities up');
  const [, names = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(text) ?? [];
  const kept = names.split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
  const account = { name: 'games', uid: 5, gid: 60 };
  const top = mkdtempSync(join(tmpdir(), 'edge-unit-'));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  chmodSync(top, 0o755);
  const state = join(top, 'state');
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, account.uid, account.gid);
  const asAccount = ['--reuid=5', '--regid=60', '--clear-groups', edgeCommand, 'shell', '--state', state];
  const ports = [await freePort(), await freePort(), await freePort()];
  const lines = [
    `ConfigureAdam.ps1 -LdapPort ${ports[0]} -SslPort ${ports[1]}`,
    `Get-ReceiveConnector | Set-ReceiveConnector -Bindings 127.0.0.1:${ports[2]}`,
  ];
  execFileSync('setpriv', [...asAccount, ...lines.flatMap((line) => ['-c', line])]);
  const limited = [`--bounding-set=-all,${kept.join(',')}`, '--inh-caps=-all', '--no-new-privs'];
  const started = [edgeCommand, 'start', '--state', state, '--user', account.name, '--workers', '1'];
  const child = spawn('setpriv', [...limited, ...started], { stdio: ['ignore', 'inherit', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  for await (const line of createInterface({ input: child.stderr })) {
    said += `${line}\n`;
    if (line.includes(' is ready')) child.kill('SIGTERM');
  }
  assert.match(said, /EdgeTransport is ready, smtp on 127\.0\.0\.1/);
  assert.deepEqual(await ended, [0, null], said);
});
