import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { makeChains } from '../../certs/make.ts';
import { type ParsedCertificate, readCertificate } from '../../src/tls/index.ts';
import fc from '../lib/properties.ts';

const haveOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = !haveOpenssl && process.env['CI'] !== 'true' && 'openssl is not installed';

/** Key types and names as other people's tools make them. */
const made: readonly [
  what: string,
  key: readonly string[],
  keyType: string,
  bits: number,
  subject: string,
  text: string,
][] = [
  [
    'RSA 2048',
    ['-newkey', 'rsa:2048'],
    'rsa',
    2048,
    '/C=US/ST=WA/O=Contoso, Inc./CN=a.example',
    'CN=a.example, O="Contoso, Inc.", S=WA, C=US',
  ],
  [
    'P-256',
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    'ec',
    256,
    '/OU=R&D+CN=a.example',
    'OU=R&D + CN=a.example',
  ],
  [
    'P-384',
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    'ec',
    384,
    '/O=Müller/CN=a.example',
    'CN=a.example, O=Müller',
  ],
  [
    'P-521',
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
    'ec',
    521,
    '/DC=com/DC=example/CN=a',
    'CN=a, DC=example, DC=com',
  ],
  ['brainpool', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:brainpoolP256r1'], 'ec', 256, '/CN=a', 'CN=a'],
  ['Ed25519', ['-newkey', 'ed25519'], 'ed25519', 256, '/emailAddress=x@y/CN=a', 'CN=a, E=x@y'],
  ['Ed448', ['-newkey', 'ed448'], 'ed448', 456, '/CN=a', 'CN=a'],
  [
    'RSA-PSS',
    ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'rsa-pss',
    2048,
    '/UID=u/CN=a',
    'CN=a, OID.0.9.2342.19200300.100.1.1=u',
  ],
];
for (const [what, key, keyType, bits, subject, text] of made) {
  test(`a certificate of openssl, ${what}`, { skip }, (t) => {
    const folder = mkdtempSync(`${tmpdir()}/edge-tls-`);
    t.after(() => rmSync(folder, { recursive: true }));
    const alt = 'subjectAltName=DNS:A.example,DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1,email:x@y';
    const usage = [
      '-addext',
      'keyUsage=digitalSignature,keyCertSign',
      '-addext',
      'extendedKeyUsage=serverAuth,1.2.3.4',
    ];
    const request = [
      'req',
      '-x509',
      '-nodes',
      '-utf8',
      '-days',
      '30',
      '-subj',
      subject,
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
    ];
    const run = spawnSync('openssl', [...request, ...key, '-addext', alt, ...usage], { cwd: folder });
    assert.equal(run.status, 0, run.stderr.toString());
    const facts = readCertificate(readFileSync(`${folder}/cert.pem`, 'utf8'));
    assert.equal(facts.subjectText, text);
    assert.equal(facts.issuerText, text);
    assert.deepEqual([facts.keyType, facts.keyBits, facts.version], [keyType, bits, 3]);
    assert.deepEqual(facts.dnsNames, ['a.example', '*.b.example']);
    assert.deepEqual(facts.ipAddresses, ['192.0.2.1', '2001:db8::1']);
    assert.deepEqual(facts.keyUsage, ['digitalSignature', 'keyCertSign']);
    assert.deepEqual(facts.extendedKeyUsage, ['serverAuth', '1.2.3.4']);
    assert.equal(facts.selfSigned, true);
    assert.equal(facts.isCa, true);
    const shown = execFileSync(
      'openssl',
      ['x509', '-in', 'cert.pem', '-noout', '-fingerprint', '-sha1', '-serial', '-dates'],
      { cwd: folder },
    ).toString();
    assert.ok(shown.replaceAll(':', '').includes(`=${facts.thumbprint}\n`), shown);
    assert.ok(shown.includes(`serial=${facts.serialNumber}\n`), shown);
    assert.equal(facts.notAfter, Date.parse(/notAfter=(.*)/.exec(shown)?.[1] ?? ''));
  });
}

const { chains } = makeChains();
const factsOf = (name: string): ParsedCertificate => readCertificate(chains[name]?.der ?? '');

test('what is absent is absent', () => {
  const facts = factsOf('no-san');
  assert.deepEqual(facts.dnsNames, []);
  assert.equal(facts.selfSigned, false);
  assert.equal(facts.isCa, false);
  assert.equal(factsOf('self-signed').selfSigned, true);
  assert.equal(factsOf('empty-subject').commonName, '');
  assert.equal(factsOf('weak-key-1024').keyBits, 1024);
  assert.deepEqual(factsOf('client-only-eku').extendedKeyUsage, ['clientAuth']);
  assert.match(factsOf('sha1-signed').signatureAlgorithm, /sha1/i);
});

test('issuer and subject alike do not make it self-signed: the key does', () => {
  const tampered = Buffer.from(chains['self-signed']?.der ?? '');
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
  assert.equal(readCertificate(tampered).selfSigned, false);
});

test('rubbish is refused, and damage throws nothing but RangeError', () => {
  for (const data of ['', 'hello', Buffer.alloc(0), randomBytes(500)])
    assert.throws(() => readCertificate(data), RangeError);
  const der = chains['utf8-name']?.der ?? Buffer.alloc(0);
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), (at, octet) => {
      const damaged = Buffer.from(der);
      damaged[at] = octet;
      try {
        readCertificate(damaged);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
    { numRuns: 1500 },
  );
});
