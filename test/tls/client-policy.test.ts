import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { host, issuerText, makeChains } from '../../certs/make.ts';
import {
  type ClientCertificate,
  type ClientEku,
  judgeClient,
  parseSenderCertificateName,
  readCertificate,
  standsForDomain,
  TrustAnchors,
  verifyChain,
} from '../../src/tls/index.ts';

const made = makeChains();
const anchors = new TrustAnchors([made.rootPem]);
const now = Date.now();

/** DER of each certificate that a row sends. */
function shownBy(row: string): Buffer[] {
  const blocks = made.chains[row]?.chainPem.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
}

const chains: readonly [row: string, fault: RegExp | ''][] = [
  ['good-rsa', ''],
  ['good-ec', ''],
  ['good-ed25519', ''],
  ['good-wildcard', ''],
  ['empty-subject', ''],
  ['ten-thousand-sans', ''],
  ['wrong-name', ''],
  ['server-only-eku', ''],
  ['client-only-eku', ''],
  ['expired', /the certificate expired/],
  ['not-yet-valid', /not valid before/],
  ['self-signed', /self-signed and not trusted/],
  ['self-signed-server-only', /self-signed and not trusted/],
  ['unknown-ca', /Stranger CA, .* is not trusted here/],
  ['impostor-ca', /Issuing CA, .* is not trusted here/],
  ['forged-signature', /no trusted authority issued it/],
  ['missing-intermediate', /no trusted authority issued it/],
  ['issuer-is-no-ca', /no trusted authority issued it/],
  ['expired-issuer', /the issuer .* expired/],
  ['path-too-long', /allows 0 authorities below it/],
  ['weak-issuer', /too weak/],
  ['weak-key-1024', /too weak/],
  ['weak-key-512', /too weak/],
  ['sha1-signed', /too weak/],
  ['unknown-curve', /too weak/],
  ['unknown-critical-extension', /critical extension/],
  ['utf8-that-is-none', /does not read/],
];
for (const [row, fault] of chains) {
  test(`chain ${row}: ${fault === '' ? 'trusted' : String(fault)}`, () => {
    const { trusted, reason } = verifyChain({ shown: shownBy(row), anchors, now });
    assert.equal(trusted, fault === '', reason);
    assert.match(reason, fault === '' ? /^$/ : fault);
  });
}

test('the chain may come in any order, with strangers among it, and an anchor may be the certificate itself', () => {
  const [leaf = Buffer.alloc(0), issuing = Buffer.alloc(0)] = shownBy('good-ec');
  const strangers = [...shownBy('unknown-ca').slice(1), ...shownBy('impostor-ca').slice(1)];
  assert.equal(verifyChain({ shown: [leaf, ...strangers, issuing], anchors, now }).trusted, true);
  const pinned = new TrustAnchors([made.chains['self-signed-ec']?.chainPem ?? '', 'rubbish']);
  assert.equal(verifyChain({ shown: shownBy('self-signed-ec'), anchors: pinned, now }).trusted, true);
  assert.equal(verifyChain({ shown: [], anchors, now }).trusted, false);
});

test('a hundred certificates of one name cost a bounded number of signatures', () => {
  const [leaf = Buffer.alloc(0)] = shownBy('good-ec');
  const impostors = Array.from({ length: 100 }, () => shownBy('impostor-ca')[1] ?? leaf);
  assert.equal(verifyChain({ shown: [leaf, ...impostors], anchors, now }).trusted, false);
});

function client(row: string, opensslError: string, extra: Partial<ClientCertificate> = {}): ClientCertificate {
  const certificate = readCertificate(made.chains[row]?.der ?? '');
  return { certificate, opensslError, chain: verifyChain({ shown: shownBy(row), anchors, now }), ...extra };
}

const plain = `<I>${issuerText}<S>CN=mail.edge.test, O=Edge Development, C=US`;
const revoked = { state: 'revoked', reason: 'OCSP' } as const;
const unknown = { state: 'unknown', reason: 'no answer' } as const;

/** Policy asked × certificate shown × verdict, complete for trust, purpose and revocation. */
const verdicts: readonly [
  shown: ClientCertificate | undefined,
  eku: ClientEku,
  name: string,
  verdict: 'taken' | 'warned' | RegExp,
  required?: boolean,
][] = [
  [undefined, 'Ignore', '', /none came/],
  [undefined, 'Require', host, /expected a certificate for mail\.edge\.test, none came/],
  [client('good-rsa', ''), 'Ignore', '', 'taken'],
  [client('good-rsa', ''), 'Warn', '', 'taken'],
  [client('good-rsa', ''), 'Require', '', 'taken'],
  [client('server-only-eku', 'INVALID_PURPOSE'), 'Ignore', '', 'taken'],
  [client('server-only-eku', 'INVALID_PURPOSE'), 'Warn', '', 'warned'],
  [client('server-only-eku', 'INVALID_PURPOSE'), 'Require', '', /ClientEku Require/],
  // Node says INVALID_PURPOSE and nothing else: who ignores it admits every stranger.
  [client('self-signed-server-only', 'INVALID_PURPOSE'), 'Ignore', '', /self-signed and not trusted/],
  [client('self-signed-server-only', 'INVALID_PURPOSE'), 'Warn', '', /self-signed and not trusted/],
  [client('self-signed-server-only', 'INVALID_PURPOSE'), 'Require', '', /self-signed and not trusted/],
  [client('self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'Ignore', '', /self-signed/],
  [client('unknown-ca', 'SELF_SIGNED_CERT_IN_CHAIN'), 'Ignore', '', /not trusted here/],
  [client('impostor-ca', 'SELF_SIGNED_CERT_IN_CHAIN'), 'Ignore', plain, /not trusted here/],
  [client('expired', 'CERT_HAS_EXPIRED'), 'Ignore', '', /expired/],
  // OpenSSL looks at more than the fresh judgement does: its error stands.
  [client('outside-name-constraints', 'UNSPECIFIED'), 'Ignore', '', /UNSPECIFIED/],
  [client('good-ec', '', { revocation: { state: 'good', reason: 'OCSP' } }), 'Require', '', 'taken'],
  [client('good-ec', '', { revocation: revoked }), 'Ignore', '', /is revoked: OCSP/],
  [client('good-ec', '', { revocation: unknown }), 'Ignore', '', 'warned'],
  [client('good-ec', '', { revocation: unknown }), 'Ignore', '', /TlsRevocation Require/, true],
  [client('good-ec', ''), 'Warn', host, 'taken'],
  [client('good-ec', ''), 'Warn', 'MAIL.Edge.Test', 'taken'],
  [client('good-ec', ''), 'Warn', '*.edge.test', 'taken'],
  [client('good-ec', ''), 'Warn', 'edge.test', /expected a certificate for edge\.test, one for mail\.edge\.test came/],
  [client('good-ec', ''), 'Warn', '*.mail.edge.test', /one for mail\.edge\.test came/],
  [client('good-wildcard', ''), 'Warn', '*.edge.test', 'taken'],
  [client('good-wildcard', ''), 'Warn', host, 'taken'],
  [client('good-ec', ''), 'Warn', plain, 'taken'],
  [
    client('wrong-name', ''),
    'Warn',
    plain,
    /subject, step 1: expected CN=mail\.edge\.test, found CN=other\.edge\.test/,
  ],
  [client('cyrillic-name', ''), 'Warn', `<I>${issuerText}<S>CN=mail.edge.test, O=Contoso, C=US`, /found U\+043E/],
  [client('nul-in-san', ''), 'Warn', host, /expected a certificate for mail\.edge\.test/],
];
for (const [i, [shown, eku, name, verdict, revocationRequired = false]] of verdicts.entries()) {
  const row = shown?.certificate.subjectText ?? 'none';
  test(`client ${i + 1}: ${row} × ${eku} × ${name || 'any name'}: ${String(verdict)}`, () => {
    const demand = { eku, revocationRequired, ...(name !== '' && { name: parseSenderCertificateName(name) }) };
    const judged = judgeClient(demand, shown);
    assert.equal(judged.acceptable, !(verdict instanceof RegExp), judged.reason);
    if (verdict instanceof RegExp) assert.match(judged.reason, verdict);
    else assert.equal(judged.warnings.length, verdict === 'warned' ? 1 : 0);
    assert.equal(judged.temporary, verdict instanceof RegExp && /Revocation Require/.test(verdict.source));
  });
}

for (const text of ['', 'contoso', '*.com extra', 'a..b', '<I>CN=a', '<I>CN=a<S>', '*.*.contoso.com', 'contoso.com, x'])
  test(`no TlsSenderCertificateName: '${text}'`, () =>
    assert.throws(() => parseSenderCertificateName(text), RangeError));

test('domain security: the domain, its wildcard or a host in it', () => {
  const certificate = (...dnsNames: string[]) => ({ ...readCertificate(made.chains['good-ec']?.der ?? ''), dnsNames });
  for (const name of ['contoso.com', '*.contoso.com', 'mail.contoso.com', 'a.b.Contoso.com'])
    assert.ok(standsForDomain(certificate(name), 'CONTOSO.com'), name);
  for (const name of ['evilcontoso.com', 'contoso.com.evil', 'com', ''])
    assert.ok(!standsForDomain(certificate(name), 'contoso.com'), name);
});

test('on the wire: the verdict of OpenSSL and ours, for each client certificate that may be shown', async () => {
  const server = createServer({
    key: made.chains['good-rsa']?.keyPem ?? '',
    cert: made.chains['good-rsa']?.chainPem ?? '',
    ca: made.rootPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const [row, acceptable] of [
    ['good-rsa', true],
    ['good-ec', true],
    ['good-ed25519', true],
    ['server-only-eku', true],
    ['self-signed-server-only', false],
    ['self-signed-ec', false],
    ['unknown-ca', false],
    ['impostor-ca', false],
    ['expired', false],
    ['missing-intermediate', false],
    ['issuer-is-no-ca', false],
    ['expired-issuer', false],
    ['path-too-long', false],
    ['outside-name-constraints', false],
    ['forged-signature', false],
  ] as const) {
    const { keyPem: key = '', chainPem: cert = '' } = made.chains[row] ?? {};
    const secureContext = createSecureContext({ key, cert });
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, secureContext });
    const [peer] = (await once(server, 'secureConnection')) as [TLSSocket];
    const opensslError = peer.authorized ? '' : String(peer.authorizationError);
    const { raw = Buffer.alloc(0) } = peer.getPeerX509Certificate() ?? {};
    const chain = verifyChain({ shown: [raw, ...shownBy(row).slice(1)], anchors, now });
    const verdict = judgeClient(
      { eku: 'Ignore', revocationRequired: false },
      { certificate: readCertificate(raw), opensslError, chain },
    );
    assert.equal(verdict.acceptable, acceptable, `${row}: ${opensslError}: ${verdict.reason}`);
    socket.destroy();
  }
  server.close();
});
