import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { connect, type SecureContext, TLSSocket } from 'node:tls';
import { host, issuerText, makeChains } from '../../certs/make.ts';
import { systemClock } from '../../src/base/index.ts';
import { CertificateError, CertificateStore, keyPassphrase, subjectFrom } from '../../src/certificates/index.ts';
import { readCertificate, serverTlsSettings, type TlsCipherProfile, verifyChain } from '../../src/tls/index.ts';

const made = makeChains();
const pemOf = (row: string): string => `${made.chains[row]?.keyPem ?? ''}${made.chains[row]?.chainPem ?? ''}`;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(`${tmpdir()}/edge-keys-`);
  t.after(() => rmSync(folder, { recursive: true }));
  return `${folder}/certificates`;
}

interface Shown {
  readonly keyType: string;
  readonly protocol: string;
  readonly cipher: string;
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** One handshake over loopback; `options` are the client's. */
async function handshake(context: SecureContext, options: object = {}, clients = false): Promise<Shown> {
  // As STARTTLS does it: a context taken by SNICallback would bring its certificate only, not its versions and suites.
  const server = createServer((socket) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: context,
      requestCert: clients,
      rejectUnauthorized: false,
    });
    secured.on('error', () => socket.destroy());
    secured.on('secure', () => secured.end('x'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (ticket: Buffer) => (session = ticket));
  try {
    await once(socket, 'secureConnect');
    socket.resume();
    await once(socket, 'end');
    const raw = socket.getPeerX509Certificate()?.raw;
    const keyType = raw === undefined ? '' : readCertificate(raw).keyType;
    return {
      keyType,
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      reused: socket.isSessionReused(),
      session,
    };
  } finally {
    socket.destroy();
    server.close();
  }
}

test('RSA and ECDSA of one standing are offered together, and the client gets the one it wants', async (t) => {
  await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
  await store.ensureServerCertificate('edge1.contoso.com');
  const { context, choice, event } = store.pick({ purpose: 'STARTTLS', serverFqdn: 'edge1.contoso.com' });
  assert.ok(context);
  assert.equal(choice.chosen?.certificate.keyType, 'rsa');
  assert.deepEqual(
    choice.companions.map(({ certificate }) => certificate.keyType),
    ['ec'],
  );
  assert.match(event.reason, /beside it [0-9A-F]{8} for ec keys/);
  assert.equal((await handshake(context, { sigalgs: 'ECDSA+SHA256' })).keyType, 'ec');
  assert.equal((await handshake(context, { sigalgs: 'RSA-PSS+SHA256' })).keyType, 'rsa');
});

test('where one key is pinned, only that one is shown', async (t) => {
  await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
  await store.ensureServerCertificate('edge1.contoso.com');
  const { context } = store.pick({ purpose: 'LDAPS', serverFqdn: 'edge1.contoso.com', single: true });
  assert.ok(context);
  for (const sigalgs of ['ECDSA+SHA256:RSA-PSS+SHA256', 'RSA-PSS+SHA256'])
    assert.equal((await handshake(context, { sigalgs })).keyType, 'rsa');
});

test('a self-signed certificate never stands beside one of an authority', async (t) => {
  await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
  await store.importPem(pemOf('self-signed-ec'), { services: ['SMTP'] });
  await store.importPem(pemOf('good-rsa'), { services: ['SMTP'] });
  const { choice } = store.pick({ purpose: 'STARTTLS', serverFqdn: host });
  assert.equal(choice.chosen?.certificate.selfSigned, false);
  assert.deepEqual(choice.companions, []);
  await store.importPem(pemOf('good-ec'), { services: ['SMTP'] });
  assert.equal(store.pick({ purpose: 'STARTTLS', serverFqdn: host }).choice.companions.length, 1);
  await store.ensureServerCertificate(host);
  assert.equal(store.list().length, 3, 'an authority certificate needs no self-signed one beside it');
});

const offered: readonly [TlsCipherProfile, options: object, result: RegExp][] = [
  ['modern', {}, /^TLSv1.3 /],
  ['modern', { maxVersion: 'TLSv1.2' }, /refused/],
  ['intermediate', { maxVersion: 'TLSv1.2' }, /^TLSv1.2 ECDHE/],
  ['intermediate', { ciphers: 'AES256-SHA', maxVersion: 'TLSv1.2' }, /refused/],
  ['intermediate', { ecdhCurve: 'X25519MLKEM768' }, /^TLSv1.3 /],
  ['bsi', { ecdhCurve: 'X25519' }, /refused/],
  ['bsi', { ciphers: 'TLS_CHACHA20_POLY1305_SHA256', minVersion: 'TLSv1.3' }, /refused/],
  ['nist', { ecdhCurve: 'P-256', maxVersion: 'TLSv1.2' }, /^TLSv1.2 ECDHE/],
];
for (const [profile, options, result] of offered) {
  test(`profile ${profile} × ${JSON.stringify(options)}: ${String(result)}`, async (t) => {
    await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
    await store.importPem(pemOf('good-ec'), { services: ['SMTP'] });
    const use = { settings: serverTlsSettings(profile, null), sessionContext: profile };
    const { context } = store.pick({ purpose: 'STARTTLS', serverFqdn: host, use });
    assert.ok(context);
    const outcome = await handshake(context, options).then(
      ({ protocol, cipher }) => `${protocol} ${cipher}`,
      () => 'refused',
    );
    assert.match(outcome, result);
  });
}

test('a ticket comes back to any worker that shares the secret, to no other use, and to none that asks for certificates', async (t) => {
  const folder = folderFor(t);
  const secret = Buffer.alloc(32, 7);
  await using first = await CertificateStore.open({ folder, clock: systemClock });
  await first.importPem(pemOf('good-ec'), { services: ['SMTP'] });
  await using second = await CertificateStore.open({ folder, clock: systemClock });
  for (const store of [first, second]) store.shareTickets(secret);
  const contextOf = (store: CertificateStore, use: object = {}): SecureContext => {
    const { context } = store.pick({ purpose: 'STARTTLS', serverFqdn: host, use });
    assert.ok(context);
    return context;
  };
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const { session } = await handshake(contextOf(first), { maxVersion });
    const again = { maxVersion, session };
    assert.equal((await handshake(contextOf(second), again)).reused, true, maxVersion);
    assert.equal((await handshake(contextOf(second, { sessionContext: 'other' }), again)).reused, false);
    const demanding = contextOf(second, { clients: true, fresh: true });
    assert.equal((await handshake(demanding, again, true)).reused, false);
    const { session: own } = await handshake(demanding, { maxVersion }, true);
    assert.equal((await handshake(demanding, { maxVersion, session: own }, true)).reused, false);
    second.shareTickets(Buffer.alloc(32, 8));
    assert.equal((await handshake(contextOf(second), again)).reused, false, 'the secret was rotated');
    second.shareTickets(secret);
  }
});

test('keys are sealed by a passphrase, and say what is missing without it', async (t) => {
  const folder = folderFor(t);
  const passphrase = 'geheim ü';
  {
    await using store = await CertificateStore.open({ folder, clock: systemClock, passphrase });
    await store.importPem(pemOf('good-ec'), { services: ['SMTP'] });
    await store.makeRequest({
      subject: subjectFrom('CN=a'),
      dnsNames: ['a.test'],
      algorithm: 'RSA',
      keyBits: 2048,
      friendlyName: '',
      exportable: false,
    });
    assert.equal(store.list().length, 1);
  }
  for (const file of readdirSync(folder))
    assert.match(readFileSync(`${folder}/${file}`, 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
  await using without = await CertificateStore.open({ folder, clock: systemClock });
  assert.equal(without.list().length, 0);
  assert.match(without.problems[0]?.reason ?? '', /EDGE_KEY_PASSPHRASE/);
  await using wrong = await CertificateStore.open({ folder, clock: systemClock, passphrase: 'x' });
  assert.match(wrong.problems[0]?.reason ?? '', /wrong passphrase/);
  await using right = await CertificateStore.open({ folder, clock: systemClock, passphrase });
  assert.deepEqual([right.list().length, right.requests().length], [1, 1]);
});

test('the passphrase comes from the systemd credential, else from the environment', (t) => {
  const folder = mkdtempSync(`${tmpdir()}/edge-credential-`);
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(keyPassphrase({}), '');
  assert.equal(keyPassphrase({ EDGE_KEY_PASSPHRASE: 'a' }), 'a');
  assert.equal(keyPassphrase({ EDGE_KEY_PASSPHRASE: 'a', CREDENTIALS_DIRECTORY: folder }), 'a');
  writeFileSync(`${folder}/edge-key-passphrase`, 'b\n');
  assert.equal(keyPassphrase({ EDGE_KEY_PASSPHRASE: 'a', CREDENTIALS_DIRECTORY: folder }), 'b');
});

test('a request goes to openssl and comes back as a certificate, RSA and ECDSA; a renewal keeps the key', async (t) => {
  const folder = folderFor(t);
  const work = mkdtempSync(`${tmpdir()}/edge-ca-`);
  t.after(() => rmSync(work, { recursive: true }));
  writeFileSync(`${work}/ca.pem`, made.issuing.pem);
  writeFileSync(`${work}/ca.key`, made.issuing.keyPem);
  await using store = await CertificateStore.open({ folder, clock: systemClock });
  const sign = (pem: string): Buffer => {
    writeFileSync(`${work}/request.pem`, pem);
    const shown = execFileSync(
      'openssl',
      ['req', '-in', `${work}/request.pem`, '-noout', '-text', '-verify', '-nameopt', 'RFC2253'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ).toString();
    assert.match(shown, /CN=mail\.contoso\.com,O=Contoso\\, Inc\.,C=US/);
    assert.match(shown, /DNS:mail\.contoso\.com, DNS:contoso\.com/);
    const args = [
      'x509',
      '-req',
      '-in',
      `${work}/request.pem`,
      '-CA',
      `${work}/ca.pem`,
      '-CAkey',
      `${work}/ca.key`,
      '-days',
      '30',
      '-copy_extensions',
      'copy',
    ];
    return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  for (const algorithm of ['RSA', 'ECDSA'] as const) {
    const request = await store.makeRequest({
      subject: subjectFrom('CN=mail.contoso.com, O="Contoso, Inc.", C=US'),
      dnsNames: ['mail.contoso.com', 'contoso.com'],
      algorithm,
      keyBits: 2048,
      friendlyName: 'new one',
      exportable: false,
    });
    assert.equal(store.requests().length, 1);
    const issued = sign(request.pem);
    const imported = await store.importCertificates(Buffer.concat([Buffer.from(made.issuing.pem), issued]));
    assert.ok(imported.kind === 'certificate' && imported.request?.thumbprint === request.thumbprint);
    assert.equal(imported.entry.friendlyName, 'new one');
    assert.equal(imported.entry.chainPem.split('BEGIN').length - 1, 2, 'the chain in order');
    assert.deepEqual(store.requests(), []);
    await assert.rejects(store.exportMaterial(imported.entry.thumbprint), /not exportable/);
    const renewal = await store.makeRequest(
      {
        subject: imported.entry.certificate.subject,
        dnsNames: ['mail.contoso.com', 'contoso.com'],
        algorithm,
        keyBits: 2048,
        friendlyName: '',
        exportable: false,
      },
      imported.entry.thumbprint,
    );
    const renewed = await store.importCertificates(sign(renewal.pem));
    assert.ok(renewed.kind === 'certificate');
    assert.notEqual(renewed.entry.thumbprint, imported.entry.thumbprint);
  }
});

test('an authority is trusted when it is imported; a stranger without a key is refused', async (t) => {
  await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
  const chain = (made.chains['good-ec']?.chainPem ?? '').match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? [];
  const shown = chain.map((block) => Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
  const trusted = (): boolean => verifyChain({ shown, anchors: store.trustAnchors(), now: Date.now() }).trusted;
  assert.ok(store.trustAnchors().size > 50, 'the authorities of the system');
  assert.equal(trusted(), false);
  const imported = await store.importCertificates(Buffer.from(made.rootPem), 'our root');
  assert.equal(imported.kind, 'authority');
  assert.equal(trusted(), true);
  assert.equal(store.trustAnchors([imported.kind === 'authority' ? imported.entry.thumbprint : '']).size, 1);
  assert.equal(store.trustAnchors(['00']).size, 0, 'narrowed to nobody is nobody');
  await assert.rejects(store.importCertificates(Buffer.from(made.chains['good-ec']?.chainPem ?? '')), CertificateError);
  await assert.rejects(store.importCertificates(Buffer.from('rubbish')), CertificateError);
  await store.remove(store.authorities()[0]?.thumbprint ?? '');
  assert.equal(trusted(), false);
});

for (const row of ['good-rsa', 'good-ec', 'good-ed25519']) {
  test(`a PFX of ours is read by openssl and by ourselves: ${row}`, async (t) => {
    const folder = folderFor(t);
    await using store = await CertificateStore.open({ folder, clock: systemClock });
    const { thumbprint, chainPem } = await store.importPem(pemOf(row), { friendlyName: 'Müller 1' });
    const password = 'geheim ü';
    const pfx = await store.exportPfx(thumbprint, password);
    writeFileSync(`${folder}/out.pfx`, pfx);
    const text = execFileSync(
      'openssl',
      ['pkcs12', '-in', `${folder}/out.pfx`, '-passin', `pass:${password}`, '-nodes'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ).toString();
    assert.match(text, /PRIVATE KEY/);
    assert.equal(text.split('BEGIN CERTIFICATE').length, chainPem.split('BEGIN CERTIFICATE').length);
    assert.throws(() =>
      execFileSync('openssl', ['pkcs12', '-in', `${folder}/out.pfx`, '-passin', 'pass:x', '-nodes'], { stdio: 'pipe' }),
    );
    await store.remove(thumbprint);
    const entry = await store.importPfx(pfx, password);
    assert.deepEqual([entry.thumbprint, entry.friendlyName], [thumbprint, 'Müller 1']);
    await assert.rejects(store.importPfx(pfx, 'wrong'), CertificateError);
  });
}

const refused: readonly [what: string, pem: string, reason: RegExp][] = [
  ['RSA 512', pemOf('weak-key-512'), /RSA key of 512 bits/],
  ['RSA 1024', pemOf('weak-key-1024'), /RSA key of 1024 bits/],
  ['a key of another certificate', pemOf('key-of-another'), /no certificate belongs/],
  [
    'RSA of 16,384 bits without its key',
    (made.chains['good-rsa']?.keyPem ?? '') + (made.chains['key-of-16384-bits']?.chainPem ?? ''),
    /no certificate belongs/,
  ],
  [
    'an unknown curve',
    (made.chains['good-ec']?.keyPem ?? '') + (made.chains['unknown-curve']?.chainPem ?? ''),
    /no certificate belongs/,
  ],
];
for (const [what, pem, reason] of refused) {
  test(`refused at import, nothing changed: ${what}`, async (t) => {
    const folder = folderFor(t);
    await using store = await CertificateStore.open({ folder, clock: systemClock });
    await assert.rejects(store.importPem(pem), reason);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test('ten thousand names and an empty subject are taken', async (t) => {
  await using store = await CertificateStore.open({ folder: folderFor(t), clock: systemClock });
  await store.importPem(pemOf('ten-thousand-sans'), { services: ['SMTP'] });
  await store.importPem(pemOf('empty-subject'), { services: ['SMTP'] });
  assert.equal(
    store.pick({ purpose: 'STARTTLS', serverFqdn: 'h77.edge.test' }).choice.chosen?.certificate.dnsNames.length,
    10_000,
  );
  const named = store.pick({ purpose: 'STARTTLS', serverFqdn: host, tlsCertificateName: `<I>${issuerText}<S>` });
  assert.match(named.event.reason, /let Fqdn choose/);
});
