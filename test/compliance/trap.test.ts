import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Trap, type TrapEndpoint, trapAddressCount, trapKinds } from '../../src/compliance/index.ts';
import { edgeCommand } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';

const addresses = (count: number): string[] => Array.from({ length: count }, (_, i) => `127.0.91.${i + 1}`);

async function startTrap(): Promise<Trap> {
  const trap = new Trap({
    domain: 'trap.test',
    addresses: addresses(trapAddressCount),
    port: 0,
    policyPort: 0,
    now: Date.now(),
    idleMs: 20_000,
  });
  await trap.start();
  return trap;
}

/** The trap answers in this very process: swaks must not block it. */
function swaks(...args: string[]): Promise<string> {
  return new Promise((resolve) =>
    execFile('swaks', ['--timeout', '60', ...args], (_error, stdout, stderr) => resolve(stdout + stderr)),
  );
}

const named = (trap: Trap, name: string): TrapEndpoint =>
  trap.endpoints.find((endpoint) => endpoint.name === name) ?? assert.fail(name);

test('the zone leads a sender to each endpoint, with its records', async () => {
  await using trap = await startTrap();
  const zone = trap.zone().join('\n');
  for (const { name, host, address, port, kind, certificate } of trap.endpoints) {
    assert.ok(zone.includes(`${name} IN MX 10 ${host}.`));
    assert.ok(zone.includes(`mx.${name} IN A ${address}`));
    assert.equal(
      zone.includes(`_${port}._tcp.mx.${name} IN TLSA 3 1 1 ${certificate.spkiSha256}`),
      kind.tlsa === 'good',
    );
    assert.equal(zone.includes(`_mta-sts.${name} IN TXT`), kind.sts !== 'none');
  }
});

test('each endpoint is wrong in its own way, seen by OpenSSL', async () => {
  await using trap = await startTrap();
  const seen: Record<string, string> = {};
  for (const endpoint of trap.endpoints) seen[endpoint.name] = await startTls(endpoint, trap.rootPem);
  assert.deepEqual(seen, {
    good: 'authorized',
    plaintext: 'no STARTTLS',
    'plaintext-dane': 'no STARTTLS',
    'plaintext-sts': 'no STARTTLS',
    stripped: 'no STARTTLS',
    broken: 'no handshake',
    'self-signed': 'DEPTH_ZERO_SELF_SIGNED_CERT',
    expired: 'CERT_HAS_EXPIRED',
    'wrong-name': 'ERR_TLS_CERT_ALTNAME_INVALID',
    'unknown-issuer': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'old-tls': 'no handshake',
    'tlsa-mismatch': 'authorized',
    'sts-wrong-mx': 'authorized',
    'sts-untrusted': 'DEPTH_ZERO_SELF_SIGNED_CERT',
    'requiretls-absent': 'authorized',
  });
  assert.equal(Object.keys(seen).length, Object.keys(trapKinds).length);
});

/** STARTTLS by hand; what OpenSSL says of the certificate. */
async function startTls({ address, port, host }: TrapEndpoint, rootPem: string): Promise<string> {
  const socket = connect(port, address);
  socket.on('error', () => undefined);
  let text = '';
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | undefined];
      if (!Buffer.isBuffer(chunk)) return;
      text += chunk.toString('latin1');
    }
  };
  await until(/^220 .*\r\n/);
  socket.write('EHLO client.test\r\n');
  await until(/^250 .*\r\n/m);
  if (!/^250[- ]STARTTLS/m.test(text)) {
    socket.destroy();
    return 'no STARTTLS';
  }
  text = '';
  socket.write('STARTTLS\r\n');
  await until(/^220 .*\r\n/);
  const secure = connectTls({
    socket,
    servername: host,
    ca: [rootPem],
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  secure.once('secureConnect', () =>
    resolve(
      secure.authorized
        ? 'authorized'
        : ((secure.authorizationError as unknown as { code?: string }).code ?? String(secure.authorizationError)),
    ),
  );
  secure.once('error', () => resolve('no handshake'));
  secure.once('close', () => resolve('no handshake'));
  return promise.finally(() => secure.destroy());
}

function once(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));
}

test('a sender that delivers in the clear is caught, its content is refused and not kept', needs('swaks'), async () => {
  await using trap = await startTrap();
  const target = named(trap, 'plaintext');
  const text = await swaks(
    '--server',
    target.address,
    '--port',
    String(target.port),
    '--to',
    target.recipient,
    '--from',
    'a@client.test',
    '--body',
    'secret words',
  );
  assert.match(text, /554 5\.7\.1/);
  const result = trap.results().find(({ endpoint }) => endpoint === 'plaintext');
  assert.equal(result?.outcome, 'delivered in clear');
  assert.ok(!JSON.stringify(trap.endpoints).includes('secret words'));
  assert.equal(trap.results().find(({ endpoint }) => endpoint === 'good')?.outcome, 'never came');
});

test('a sender that tries TLS and then delivers in the clear fell back', needs('swaks'), async () => {
  await using trap = await startTrap();
  const target = named(trap, 'self-signed');
  const to = [
    '--server',
    target.address,
    '--port',
    String(target.port),
    '--to',
    target.recipient,
    '--from',
    'a@client.test',
  ];
  await swaks(...to, '--tls', '--quit-after', 'RCPT');
  await swaks(...to);
  const result = trap.results().find(({ endpoint }) => endpoint === 'self-signed');
  assert.deepEqual(
    [result?.outcome, result?.fellBack, result?.retriesInClear, result?.attempts],
    ['delivered in clear', true, 1, 2],
  );
});

test('a delivery inside TLS is told with its version', needs('swaks'), async () => {
  await using trap = await startTrap();
  const target = named(trap, 'expired');
  await swaks(
    '--server',
    target.address,
    '--port',
    String(target.port),
    '--to',
    target.recipient,
    '--from',
    'a@client.test',
    '--tls',
  );
  assert.match(
    trap.results().find(({ endpoint }) => endpoint === 'expired')?.outcome ?? '',
    /^delivered by TLSv1\.[23] TLS_/,
  );
});

test('too few addresses are refused with the number that is needed', () => {
  assert.throws(
    () => new Trap({ domain: 'trap.test', addresses: ['127.0.0.1'], port: 0, policyPort: 0, now: 0, idleMs: 1 }),
    new RegExp(`${trapAddressCount} addresses are needed`),
  );
});

test('the command says what the zone cannot lead to it, and reports when it is ended', async () => {
  const ports = ['--port', String(await freePort()), '--policy-port', String(await freePort())];
  const args = ['tls', 'trap', 'start', '--domain', 'trap.test', '--addresses', `127.0.92.1+${trapAddressCount}`];
  const child = spawn(edgeCommand, [...args, ...ports], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, error] = ['', ''];
  child.stderr.on('data', (octets: Buffer) => (error += octets.toString()));
  child.stdout.on('data', (octets: Buffer) => {
    text += octets.toString();
    if (text.endsWith('Ctrl-C ends and reports.\n')) child.kill('SIGINT');
  });
  // A run that nobody came to shows nothing of any sender.
  assert.deepEqual(await once(child, 'close'), [2, null]);
  assert.equal(error, 'edge tls trap: no sender came: nothing was tested\n');
  assert.match(text, /does not lead all of it here: mail by MX goes to port 25; senders fetch policies from port 443/);
  assert.match(text, /^good +never came +0 attempts {2}\(everybody delivers\)$/m);
});
