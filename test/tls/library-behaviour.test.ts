/**
 * What tls/ and certificates/ rely on in node-forge and Node beyond their documentation. A new version that acts
 * otherwise fails here, with the place that must be looked at.
 *
 * | what | where | why |
 * |---|---|---|
 * | forge's ASN.1 is loaded by file | tls/der/der.ts, certificates/certificate-builder.ts | the whole of forge is 2 MB in each worker |
 * | `fromDer` hands out code units of a BMPString, octets of all else | tls/der/der.ts | names are compared as text |
 * | `fromDer` reads an odd BMPString too far | tls/der/der.ts | such a value must not be decoded |
 * | `decodeBitStrings: false` | tls/der/der.ts | keys and signatures are not looked into |
 * | `derToOid` takes padded identifiers | tls/der/der.ts | two encodings must not be one identifier |
 * | `pkcs12FromAsn1` leaves EC keys and their certificates as ASN.1 | certificates/pfx.ts | forge knows RSA alone |
 * | a PFX without its MAC still opens | certificates/pfx.ts | passwords beyond ASCII |
 * | Node says INVALID_PURPOSE alone for a self-signed client certificate without clientAuth | tls/ client judgement | whoever ignores that code admits every stranger |
 * | `checkIssued` compares names and key identifiers, not signatures | certificates/key-material.ts | chains are verified apart |
 * | `getPeerX509Certificate` answers once for each connection | smtp-send | it is asked once |
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { connect, createSecureContext, createServer, TLSSocket } from 'node:tls';
import forge from 'node-forge';
import { makeChains } from '../../certs/make.ts';

const load = createRequire(import.meta.url);
const asn1 = load('node-forge/lib/asn1.js') as typeof forge.asn1;
const { createBuffer } = load('node-forge/lib/util.js') as typeof forge.util;
const bytes = (hex: string): forge.util.ByteStringBuffer => createBuffer(Buffer.from(hex, 'hex').toString('latin1'));
const made = makeChains(Date.now(), [
  'good-rsa',
  'good-ec',
  'self-signed-server-only',
  'self-signed-ec',
  'impostor-ca',
]);
const chain = (row: string): string => made.chains[row]?.chainPem ?? '';
const key = (row: string): string => made.chains[row]?.keyPem ?? '';

test('node-forge is the version that was looked at', () => {
  const { version } = load('node-forge/package.json') as { version: string };
  assert.equal(version, '1.4.3');
});

test('forge: a BMPString is code units, a UTF8String octets', () => {
  assert.equal(asn1.fromDer(bytes('1e04004d682a')).value, 'M株');
  assert.equal(asn1.fromDer(bytes('0c02c3bc')).value, '\u00c3\u00bc');
});

test('forge: a BMPString of odd length swallows what stands behind it', () => {
  const [text] = asn1.fromDer(bytes('30061e0300415a00')).value as forge.asn1.Asn1[];
  assert.equal(text?.value, 'A\u5a00');
});

test('forge: bit strings are left alone when they are told to be', () => {
  const options = { strict: true, decodeBitStrings: false } as unknown as boolean;
  assert.equal(typeof asn1.fromDer(bytes('03050030020500'), options).value, 'string');
  assert.ok(Array.isArray(asn1.fromDer(bytes('03050030020500')).value));
});

test('forge: a padded identifier and a cut one read as the plain one', () => {
  for (const hex of ['55040a', '5580040a', '55040a81']) assert.equal(asn1.derToOid(bytes(hex)), '2.5.4.10');
});

test('forge: a PFX of an EC key leaves key and certificate as ASN.1; without its MAC it opens all the same', () => {
  const folder = mkdtempSync(`${tmpdir()}/edge-forge-`);
  try {
    writeFileSync(`${folder}/all.pem`, key('good-ec') + chain('good-ec'));
    execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-in',
      `${folder}/all.pem`,
      '-passout',
      'pass:x',
      '-out',
      `${folder}/all.pfx`,
    ]);
    const tree = asn1.fromDer(createBuffer(readFileSync(`${folder}/all.pfx`).toString('latin1')));
    const open = (): forge.pkcs12.Bag[] =>
      forge.pkcs12.pkcs12FromAsn1(tree, 'x').safeContents.flatMap(({ safeBags }) => safeBags);
    const ofKey = open().find(({ type }) => type === forge.pki.oids['pkcs8ShroudedKeyBag']);
    assert.ok(ofKey && !ofKey.key && ofKey.asn1.value.length > 0);
    const ofLeaf = open().filter(({ type }) => type === forge.pki.oids['certBag']);
    assert.ok(ofLeaf.some(({ cert, asn1: der }) => !cert && der.value.length > 0));
    (tree.value as forge.asn1.Asn1[]).splice(2);
    assert.equal(open().length, ofLeaf.length + 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('node: checkIssued does not look at the signature', () => {
  const impostor = new X509Certificate(made.chains['impostor-ca']?.der ?? '');
  const plain = new X509Certificate(chain('impostor-ca').slice(chain('impostor-ca').indexOf('-----BEGIN', 10)));
  assert.equal(impostor.checkIssued(plain), true);
  assert.equal(impostor.verify(plain.publicKey), true);
  const issuing = new X509Certificate(made.issuing.pem);
  assert.equal(impostor.verify(issuing.publicKey), false);
});

async function clientVerdict(row: string): Promise<string> {
  const server = createServer({
    key: key('good-rsa'),
    cert: chain('good-rsa'),
    ca: made.rootPem,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    secureContext: createSecureContext({ key: key(row), cert: chain(row) }),
  });
  try {
    const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
    assert.ok(socket.getPeerX509Certificate());
    return String(socket.authorizationError);
  } finally {
    client.destroy();
    server.close();
  }
}

test('node: an untrusted self-signed client certificate without clientAuth is INVALID_PURPOSE, nothing more', async () => {
  assert.match(await clientVerdict('self-signed-server-only'), /INVALID_PURPOSE|unsuitable certificate purpose/);
  assert.match(await clientVerdict('self-signed-ec'), /DEPTH_ZERO_SELF_SIGNED_CERT/);
});

test('node: verifyError of a TLS socket without a server is the verdict on the chain', async () => {
  for (const [authority, verdict] of [
    [made.rootPem, null],
    [chain('self-signed-ec'), /UNABLE_TO|unable to/],
  ] as const) {
    const server = new NetServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      secureContext: createSecureContext({ key: key('good-rsa'), cert: chain('good-rsa') }),
    });
    client.on('error', () => undefined);
    try {
      const [socket] = (await once(server, 'connection')) as [Socket];
      const secured = new TLSSocket(socket, {
        isServer: true,
        requestCert: true,
        rejectUnauthorized: false,
        secureContext: createSecureContext({ key: key('good-rsa'), cert: chain('good-rsa'), ca: authority }),
      });
      await once(secured, 'secure');
      const { _handle: handle } = secured as unknown as { readonly _handle: { verifyError(): Error | null } };
      const error = handle.verifyError();
      if (verdict === null) assert.equal(error, null);
      else assert.match(`${(error as NodeJS.ErrnoException).code ?? ''} ${String(error)}`, verdict);
      assert.equal(secured.authorized, false, 'it is not filled in: that is why the handle is asked');
      secured.destroy();
    } finally {
      client.destroy();
      server.close();
    }
  }
});
