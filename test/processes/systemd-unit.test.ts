import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { edge, edgeCommand } from '../lib/appliance.ts';
import { needs, python } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';

const unit = fileURLToPath(new URL('../../src/processes/launch/edge.service', import.meta.url));
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

/** Runs a command under the system calls of the unit, as systemd would. */
const filtered = [python, fileURLToPath(new URL('filtered.py', import.meta.url)), unit];

test(
  'what the unit does not allow is refused: a mount, by root',
  needs('root', 'python3-seccomp', 'systemd-analyze'),
  () => {
    const [file = '', ...rest] = [...filtered, 'mount', '-t', 'tmpfs', 'x', '/mnt'];
    const options = { encoding: 'utf8', timeout: 300_000 } as const;
    const own = spawnSync(
      'unshare',
      ['--mount', '--propagation', 'private', 'mount', '-t', 'tmpfs', 'x', '/mnt'],
      options,
    );
    assert.equal(own.status, 0, 'root may mount here');
    const { status, stderr } = spawnSync(file, rest, options);
    assert.notEqual(status, 0);
    assert.match(stderr, /permission denied/i);
  },
);

const toRun = { ...needs('root', 'python3-seccomp', 'systemd-analyze'), timeout: 300_000 };
test(
  'the service runs and takes mail with the rights and the system calls that the unit leaves it',
  toRun,
  async (t) => {
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
      'New-AcceptedDomain b.example -DomainName b.example',
    ];
    execFileSync('setpriv', [...asAccount, ...lines.flatMap((line) => ['-c', line])]);
    const limited = [`--bounding-set=-all,${kept.join(',')}`, '--inh-caps=-all', '--no-new-privs'];
    const started = [edgeCommand, 'start', '--state', state, '--user', account.name, '--workers', '1'];
    const child = spawn('setpriv', [...limited, ...filtered, ...started], { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    let said = '';
    for await (const line of createInterface({ input: child.stderr })) {
      said += `${line}\n`;
      if (!line.includes(' is ready')) continue;
      const message = { from: 'a@a.example', to: ['b@b.example'], parameters: '', content: 'Subject: x\r\n\r\nx\r\n' };
      assert.match(
        await sendMessage('127.0.0.1', ports[2] ?? 0, { ...message, content: Buffer.from(message.content) }),
        /^250 /,
      );
      const { status, out, error } = await edge('status', '--state', state, '--json');
      assert.equal(status, 0, out + error);
      for (const { pid } of (JSON.parse(out) as { processes: { pid: number }[] }).processes)
        assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Seccomp:\s+2$/m);
      child.kill('SIGTERM');
    }
    assert.match(said, /EdgeTransport is ready, smtp on 127\.0\.0\.1/);
    assert.deepEqual(await ended, [0, null], said);
  },
);
