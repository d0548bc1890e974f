import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { connect, createSecureContext, createServer, type SecureContext } from 'node:tls';
import { host, makeChains } from '../../certs/make.ts';
import { type Clock, systemClock } from '../../src/base/index.ts';
import { CertificateError, CertificateStore } from '../../src/certificates/index.ts';
import { judgePeer, matchesHost, readCertificate } from '../../src/tls/index.ts';

const { rootPem, chains } = makeChains();
const pemOf = (name: string): string => `${chains[name]?.keyPem ?? ''}${chains[name]?.chainPem ?? ''}`;
const thumbprintOf = (name: string): string => readCertificate(chains[name]?.der ?? '').thumbprint;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(`${tmpdir()}/edge-certificates-`);
  t.after(() => rmSync(folder, { recursive: true }));
  return `${folder}/certificates`;
}

async function openStore(t: TestContext, clock: Clock = systemClock): Promise<CertificateStore> {
  return CertificateStore.open({ folder: folderFor(t), clock });
}

/** A clock that stands still until told. */
function standingClock(start: number): Clock & { set(at: number): void } {
  let at = start;
  return {
    now: () => at,
    monotonic: () => at,
    after: (ms, call) => systemClock.after(ms, call),
    set: (to) => void (at = to),
  };
}

interface Handshake {
  readonly error: string;
  readonly protocol: string;
  readonly subject: string;
  readonly certificate: { readonly dnsNames: readonly string[]; readonly commonName: string };
}

/** One handshake over loopback, with the client that trusts our root. */
async function handshake(
  context: SecureContext,
  options: { readonly maxVersion?: 'TLSv1.1' } = {},
): Promise<Handshake> {
  const server = createServer({ SNICallback: (_name, done) => done(null, context) }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: host,
    ca: rootPem,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...options,
  });
  try {
    await once(socket, 'secureConnect');
    const certificate = readCertificate(socket.getPeerX509Certificate()?.raw ?? '');
    const error = socket.authorized ? '' : String(socket.authorizationError);
    return { error, protocol: socket.getProtocol() ?? '', subject: certificate.subjectText, certificate };
  } finally {
    socket.destroy();
    server.close();
  }
}

test('the server certificates, RSA and ECDSA, are made once, for short name and FQDN, for five years, and kept private', async (t) => {
  const clock = standingClock(Date.UTC(2026, 1, 3));
  const folder = folderFor(t);
  await using store = await CertificateStore.open({ folder, clock });
  const entry = await store.ensureServerCertificate('EDGE1.contoso.com');
  assert.deepEqual(entry.certificate.dnsNames, ['edge1', 'edge1.contoso.com']);
  assert.equal(entry.certificate.subjectText, 'CN=edge1');
  assert.deepEqual(
    [entry.certificate.keyType, entry.certificate.keyBits, entry.certificate.selfSigned],
    ['rsa', 2048, true],
  );
  assert.equal(entry.certificate.notAfter, Date.UTC(2031, 1, 3));
  assert.equal(
    (await store.ensureServerCertificate('edge1.contoso.com')).thumbprint,
    entry.thumbprint,
    'not made again',
  );
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const own = store.list();
  assert.deepEqual(own.map(({ certificate }) => certificate.keyType).sort(), ['ec', 'rsa']);
  assert.deepEqual(readdirSync(folder).sort(), own.map(({ thumbprint }) => `${thumbprint}.pem`).sort());
  for (const file of readdirSync(folder)) assert.equal(statSync(`${folder}/${file}`).mode & 0o777, 0o600);
  clock.set(Date.UTC(2031, 0, 20));
  const renewed = await store.ensureServerCertificate('edge1.contoso.com');
  assert.notEqual(renewed.thumbprint, entry.thumbprint, 'renewed in its last month');
  assert.equal(
    store.pick({ purpose: 'STARTTLS', serverFqdn: 'edge1.contoso.com' }).choice.chosen?.thumbprint,
    renewed.thumbprint,
  );
});

test('openssl agrees with the certificate that we made', {
  skip: spawnSync('openssl', ['version']).status !== 0 && process.env['CI'] !== 'true' && 'openssl is not installed',
}, async (t) => {
  const folder = folderFor(t);
  await using store = await CertificateStore.open({ folder, clock: systemClock });
  const { thumbprint } = await store.ensureServerCertificate('edge1.contoso.com');
  const file = `${folder}/${thumbprint}.pem`;
  execFileSync('openssl', [
    'verify',
    '-x509_strict',
    '-CAfile',
    file,
    '-purpose',
    'sslserver',
    '-verify_hostname',
    'edge1.contoso.com',
    file,
  ]);
  execFileSync('openssl', ['pkey', '-in', file, '-check', '-noout']);
});

test('it speaks TLS 1.2 and above with the context that was prepared, and nothing below', async (t) => {
  await using store = await openStore(t);
  await store.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  const { context, event } = store.pick({ purpose: 'STARTTLS', serverFqdn: host });
  assert.ok(context);
  assert.equal(context, store.secureContextFor(thumbprintOf('good-rsa')), 'no context is made on the mail path');
  const result = await handshake(context);
  assert.deepEqual([result.error, result.protocol, result.subject], ['', 'TLSv1.3', event.subject]);
  await assert.rejects(handshake(context, { maxVersion: 'TLSv1.1' }));
});

// What the important chains of certs/ look like from the other side: OpenSSL's verdict, and whether they stand for the host.
const seen: Readonly<Record<string, readonly [error: string, forHost: boolean]>> = {
  'good-rsa': ['', true],
  'good-ec': ['', true],
  'good-ed25519': ['', true],
  'good-wildcard': ['', true],
  'good-sans': ['', true],
  'multi-valued-rdn': ['', true],
  'bmp-name': ['', true],
  'universal-name': ['', true],
  'teletex-name': ['', true],
  'nul-in-name': ['', true],
  'empty-subject': ['', true],
  expired: ['CERT_HAS_EXPIRED', true],
  'expired-ec': ['CERT_HAS_EXPIRED', true],
  'not-yet-valid': ['CERT_NOT_YET_VALID', true],
  'wrong-name': ['', false],
  'wildcard-too-deep': ['', false],
  'kelvin-sign-in-san': ['', false],
  'full-width-san': ['', false],
  'nul-in-san': ['', false],
  'no-san': ['', true],
  'self-signed': ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
  'self-signed-ec': ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
  'unknown-ca': ['SELF_SIGNED_CERT_IN_CHAIN', true],
  'impostor-ca': ['SELF_SIGNED_CERT_IN_CHAIN', true],
  'forged-signature': ['CERT_SIGNATURE_FAILURE', true],
  'missing-intermediate': ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
  // Node has no name for these verdicts of OpenSSL.
  'issuer-is-no-ca': ['UNSPECIFIED', true],
  'sha1-signed': ['UNSPECIFIED', true],
  // OpenSSL does not even send an issuer's key of 1024 bits.
  'weak-issuer': ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
  'outside-name-constraints': ['UNSPECIFIED', true],
  'unknown-critical-extension': ['UNSPECIFIED', true],
  'path-too-long': ['PATH_LENGTH_EXCEEDED', true],
  'expired-issuer': ['CERT_HAS_EXPIRED', true],
  'client-only-eku': ['INVALID_PURPOSE', true],
};
for (const [name, [error, forHost]] of Object.entries(seen)) {
  test(`chain ${name}, as a peer sees it: ${error || 'trusted'}`, async () => {
    const { keyPem = '', chainPem = '', kind } = chains[name] ?? {};
    const context = createSecureContext({ key: keyPem, cert: chainPem, ciphers: 'DEFAULT@SECLEVEL=0' });
    const result = await handshake(context);
    assert.equal(result.error, error);
    assert.equal(matchesHost(result.certificate, host), forHost);
    const verdict = judgePeer(
      { level: 'domain', names: [host] },
      { encrypted: true, chainError: result.error, certificate: result.certificate },
      Date.now(),
    );
    assert.equal(verdict.acceptable, error === '' && forHost);
    assert.equal(verdict.acceptable, kind !== 'bad' || name === 'no-san');
  });
}

test('a weak key is refused at import, and by a peer where somebody serves it', async (t) => {
  await using store = await openStore(t);
  await assert.rejects(store.importPem(pemOf('weak-key-1024')), CertificateError);
  assert.deepEqual(store.list(), []);
  const { keyPem = '', chainPem = '' } = chains['weak-key-1024'] ?? {};
  await assert.rejects(handshake(createSecureContext({ key: keyPem, cert: chainPem, ciphers: 'DEFAULT@SECLEVEL=0' })));
});

test('PFX of openssl, RSA and EC, old and new encryption', {
  skip: spawnSync('openssl', ['version']).status !== 0 && process.env['CI'] !== 'true' && 'openssl is not installed',
}, async (t) => {
  const folder = folderFor(t);
  await using store = await CertificateStore.open({ folder, clock: systemClock });
  for (const [name, extra] of [
    ['good-rsa', []],
    ['good-ec', []],
    ['good-rsa', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
  ] as const) {
    const source = `${folder}/source.txt`;
    writeFileSync(source, pemOf(name), { mode: 0o600 });
    const pfx = execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-in',
      source,
      '-passout',
      'pass:geheim ü',
      '-name',
      'my name',
      ...extra,
    ]);
    await assert.rejects(store.importPfx(pfx, 'wrong'), CertificateError);
    const entry = await store.importPfx(pfx, 'geheim ü', { services: ['SMTP'] });
    assert.equal(entry.thumbprint, thumbprintOf(name), 'the certificate came through to the octet');
    assert.equal(entry.friendlyName, 'my name');
    assert.equal(entry.chainPem, chains[name]?.chainPem);
    assert.equal((await handshake(store.secureContextFor(entry.thumbprint))).error, '');
    await store.remove(entry.thumbprint);
  }
  for (const junk of [Buffer.alloc(0), Buffer.from('hello'), Buffer.from('3080', 'hex')]) {
    await assert.rejects(store.importPfx(junk, ''), CertificateError);
  }
});

test('PEM in any order, with a passphrase, with certificates that do not belong', async (t) => {
  await using store = await openStore(t);
  const { keyPem = '', chainPem = '' } = chains['good-ec'] ?? {};
  const mixed = `${rootPem}${chains['wrong-name']?.chainPem ?? ''}${chainPem}${keyPem}`;
  const entry = await store.importPem(mixed, { services: ['SMTP'] });
  assert.equal(entry.thumbprint, thumbprintOf('good-ec'));
  assert.equal(entry.chainPem, chainPem, 'leaf first, then its issuer; the root stays at home');
  for (const [what, pem] of [
    ['no key', chainPem],
    ['no certificate', keyPem],
    ['another key', `${chains['good-rsa']?.keyPem ?? ''}${chainPem}`],
    ['a damaged key', `${keyPem.replace(/\n[A-Za-z0-9]{10}/, '\nAAAAAAAAAA')}${chainPem}`],
    ['a damaged certificate', `${keyPem}${chainPem.replace(/\n[A-Za-z0-9+/]{30}/, `\n${'A'.repeat(30)}`)}`],
    ['nothing', ''],
  ] as const) {
    await assert.rejects(store.importPem(pem), (error) => {
      assert.ok(error instanceof CertificateError, what);
      assert.doesNotMatch(error.message, /BEGIN|MII|MIG/, 'no key in a message');
      return true;
    });
  }
});

test('services decide who is a candidate; a change tells those who listen', async (t) => {
  await using store = await openStore(t);
  let changes = 0;
  const listening = store.onChange(() => void changes++);
  const { thumbprint } = await store.importPem(pemOf('good-rsa'));
  const request = { purpose: 'STARTTLS', serverFqdn: host };
  assert.equal(store.pick(request).context, undefined);
  assert.match(store.pick(request).event.passedOver[0]?.reason ?? '', /not enabled for SMTP/);
  await store.enable(thumbprint.toLowerCase(), ['IIS', 'SMTP']);
  assert.ok(store.pick(request).context);
  assert.deepEqual(store.list()[0]?.services, ['IIS', 'SMTP']);
  await store.remove(thumbprint);
  assert.equal(store.pick(request).context, undefined);
  assert.equal(changes, 3);
  listening[Symbol.dispose]();
  await store.importPem(pemOf('good-rsa'));
  assert.equal(changes, 3);
  await assert.rejects(store.remove('00'), CertificateError);
  assert.throws(() => store.secureContextFor('00'), CertificateError);
});

test('another process changes the folder: read anew on request, and by watching', async (t) => {
  const folder = folderFor(t);
  await using writer = await CertificateStore.open({ folder, clock: systemClock });
  await using reader = await CertificateStore.open({ folder, clock: systemClock });
  await writer.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  assert.equal(reader.list().length, 0);
  assert.equal(await reader.reload(), true);
  assert.equal(await reader.reload(), false, 'nothing new');
  assert.equal(reader.list().length, 1);
  const changed = new Promise<void>((resolve) => reader.onChange(resolve));
  // Watching keeps no process alive; this one has to wait for it.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  reader.watch((error) => assert.fail(String(error)));
  await writer.importPem(pemOf('good-ec'), { services: ['SMTP'] });
  await changed;
  assert.equal(reader.list().length, 2);
});

test('a file that does not read is told, and harms no other; one open to others is closed', async (t) => {
  const folder = folderFor(t);
  await using store = await CertificateStore.open({ folder, clock: systemClock });
  const { thumbprint } = await store.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  writeFileSync(`${folder}/broken.pem`, 'this is none');
  writeFileSync(`${folder}/notes.txt`, 'not ours');
  chmodSync(`${folder}/${thumbprint}.pem`, 0o644);
  assert.equal(await store.reload(), true);
  assert.equal(store.list().length, 1);
  assert.deepEqual(store.problems, [{ file: 'broken.pem', reason: 'the PEM text has no private key' }]);
  assert.equal(statSync(`${folder}/${thumbprint}.pem`).mode & 0o777, 0o600);
});

test('a choice follows the time', async (t) => {
  const clock = standingClock(Date.now());
  await using store = await openStore(t, clock);
  await store.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  const request = { purpose: 'STARTTLS', serverFqdn: host };
  assert.equal(store.pick(request), store.pick(request), 'kept while nothing changes');
  assert.equal(store.pick(request).choice.outOfDate, false);
  clock.set(clock.now() + 400 * 86_400_000);
  assert.equal(store.pick(request).choice.outOfDate, true);
});

test('entries and events hold no key', async (t) => {
  const folder = folderFor(t);
  await using store = await CertificateStore.open({ folder, clock: systemClock });
  const entry = await store.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  const shown = JSON.stringify([entry, store.pick({ purpose: 'STARTTLS', serverFqdn: host }).event, store.list()]);
  assert.doesNotMatch(shown, /PRIVATE KEY/);
  assert.match(readFileSync(`${folder}/${entry.thumbprint}.pem`, 'utf8'), /PRIVATE KEY/);
});
