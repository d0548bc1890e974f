import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

function installed(): boolean {
  try {
    execFileSync('swaks', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
// With CI=true what is missing is a failure; elsewhere it is said.
const skip = installed() || process.env['CI'] === 'true' ? false : 'swaks is not installed';

interface Run {
  readonly status: number;
  readonly output: string;
}

function swaks(edge: Receiving, ...options: string[]): Promise<Run> {
  const args = ['--server', '127.0.0.1', '--port', String(edge.port), '--from', 'a@example.org', ...options];
  const { promise, resolve } = Promise.withResolvers<Run>();
  execFile('swaks', args, { timeout: 300_000 }, (error, stdout, stderr) => {
    resolve({ status: error === null ? 0 : Number(error.code), output: stdout + stderr });
  });
  return promise;
}

test('swaks hands a message over', { skip }, async () => {
  await using edge = await Receiving.start();
  const { status, output } = await swaks(
    edge,
    '--to',
    'user@example.test',
    '--h-Subject',
    'by swaks',
    '--body',
    '.\n..\nend',
  );
  assert.equal(status, 0, output);
  assert.match(output, /250 2\.6\.0 <.*> \[InternalId=1, Hostname=edge1\.example\.net\] Queued mail for delivery/);
  const [kept] = edge.queue.kept;
  assert.equal(kept?.message.facts.subject, 'by swaks');
  assert.match(kept?.content.toString() ?? '', /\r\n\.\r\n\.\.\r\nend\r\n/);
});

test('swaks pipelines', { skip }, async () => {
  await using edge = await Receiving.start();
  const { status, output } = await swaks(edge, '--pipeline', '--to', 'one@example.test,two@example.test');
  assert.equal(status, 0, output);
  assert.equal(edge.queue.kept[0]?.message.envelope.recipients.length, 2);
});

test('swaks is not let through to a foreign domain', { skip }, async () => {
  await using edge = await Receiving.start();
  const { status, output } = await swaks(edge, '--to', 'user@foreign.invalid');
  assert.equal(status, 24, output);
  assert.match(output, /550 5\.7\.54 SMTP; Unable to relay recipient in non-accepted domain/);
});

// Not with swaks: Debian installs it without what it needs for TLS.
test('openssl s_client encrypts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-swaks-'));
  await using certificates = await CertificateStore.open({ folder, clock: systemClock });
  await certificates.ensureServerCertificate('mail.example.net');
  await using edge = await Receiving.start({ certificates, snapshot: internetSnapshot({ requireTLS: true }) });
  const server = `127.0.0.1:${edge.port}`;
  const client = spawn('openssl', ['s_client', '-quiet', '-starttls', 'smtp', '-connect', server], { stdio: 'pipe' });
  client.stdin.write('EHLO client.example.org\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<user@example.test>\r\n');
  client.stdin.write('DATA\r\nSubject: by openssl\r\n\r\nbody\r\n.\r\nQUIT\r\n');
  await edge.queue.has(1);
  await once(client, 'close');
  assert.equal(edge.queue.kept[0]?.message.facts.subject, 'by openssl');
  assert.match(edge.queue.kept[0]?.message.origin.tls ?? '', /^TLS1_/);
  await rm(folder, { recursive: true, force: true });
});
