import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyPairKeyObjectResult, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { buildCertificate, type CertificateRequest, randomSerial } from '../../src/certificates/index.ts';
import { associationOf, matchTlsa, type TlsaRecord, unusableReason } from '../../src/tls/index.ts';

const dayMs = 86_400_000;
const now = Date.now();
const name = (common: string): CertificateRequest['subject'] => [[{ oid: '2.5.4.3', value: common, type: 'utf8' }]];
interface Made {
  readonly common: string;
  readonly certificate: X509Certificate;
  readonly keys: KeyPairKeyObjectResult;
}

function make(common: string, issuer?: Made, change: Partial<CertificateRequest> = {}): Made {
  const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = issuer?.keys ?? keys;
  const built = buildCertificate({
    subject: name(common),
    issuer: name(issuer?.common ?? common),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    issuerPublicKey: signer.publicKey,
    serial: randomSerial(),
    notBefore: now - dayMs,
    notAfter: now + dayMs,
    ...change,
  });
  return { common, certificate: new X509Certificate(built), keys };
}

const root = make('Root', undefined, { ca: true });
const leaf = make('leaf', root);
const other = make('other', undefined);
const expired = make('leaf', root, { notAfter: now - 1000 });
const chain = [leaf.certificate.raw, root.certificate.raw];

const record = (usage: number, selector: number, matchingType: number, of: X509Certificate): TlsaRecord => ({
  usage,
  selector,
  matchingType,
  certificate: associationOf(of, { selector, matchingType }) ?? Buffer.alloc(0),
});

const met = { namesMatch: true, now };
const rows: readonly (readonly [
  string,
  readonly TlsaRecord[],
  readonly Buffer[],
  { namesMatch: boolean; now: number },
  boolean,
])[] = [
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].map(
      (type) =>
        [`3 ${selector} ${type} of the leaf`, [record(3, selector, type, leaf.certificate)], chain, met, true] as const,
    ),
  ),
  ['3 1 1 of the root', [record(3, 1, 1, root.certificate)], chain, met, false],
  [
    '3 1 1 of another key, then of the leaf',
    [record(3, 1, 1, other.certificate), record(3, 1, 1, leaf.certificate)],
    chain,
    met,
    true,
  ],
  ['3 1 1 with another name', [record(3, 1, 1, leaf.certificate)], chain, { namesMatch: false, now }, true],
  ['3 1 1 of an expired leaf', [record(3, 1, 1, expired.certificate)], [expired.certificate.raw], met, true],
  ['2 0 1 of the root', [record(2, 0, 1, root.certificate)], chain, met, true],
  ['2 1 2 of the root', [record(2, 1, 2, root.certificate)], chain, met, true],
  ['2 0 1 of the root, another name', [record(2, 0, 1, root.certificate)], chain, { namesMatch: false, now }, false],
  ['2 0 1 of the root, which is not sent', [record(2, 0, 1, root.certificate)], [leaf.certificate.raw], met, false],
  [
    '2 0 1 of the root, leaf expired',
    [record(2, 0, 1, root.certificate)],
    [expired.certificate.raw, root.certificate.raw],
    met,
    false,
  ],
  [
    '2 0 1 of the root beside a leaf it did not sign',
    [record(2, 0, 1, root.certificate)],
    [other.certificate.raw, root.certificate.raw],
    met,
    false,
  ],
  [
    '0 0 1 and 1 0 1 of the leaf',
    [record(0, 0, 1, leaf.certificate), record(1, 0, 1, leaf.certificate)],
    chain,
    met,
    false,
  ],
  ['no record', [], chain, met, false],
  ['no certificate', [record(3, 1, 1, leaf.certificate)], [], met, false],
];
for (const [title, records, shown, demands, wanted] of rows) {
  test(`TLSA ${title}: ${wanted ? 'matches' : 'does not match'}`, () => {
    assert.equal(matchTlsa(records, shown, demands).matches, wanted);
  });
}

const unusable: readonly (readonly [Partial<TlsaRecord>, RegExp | undefined])[] = [
  [{}, undefined],
  [{ usage: 0 }, /usage 0/],
  [{ usage: 1 }, /usage 1/],
  [{ usage: 4 }, /usage 4/],
  [{ selector: 2 }, /selector 2/],
  [{ matchingType: 3 }, /matching type 3/],
  [{ certificate: Buffer.alloc(31) }, /31 octets/],
  [{ matchingType: 2 }, /32 octets, not 64/],
  [{ matchingType: 0, selector: 0 }, /no certificate/],
  [{ matchingType: 0, certificate: Buffer.alloc(0) }, /no certificate/],
];
for (const [change, wanted] of unusable) {
  test(`TLSA unusable ${JSON.stringify(change)}`, () => {
    const reason = unusableReason({
      usage: 3,
      selector: 1,
      matchingType: 1,
      certificate: Buffer.alloc(32, 1),
      ...change,
    });
    if (wanted === undefined) assert.equal(reason, undefined);
    else assert.match(reason ?? '', wanted);
  });
}
