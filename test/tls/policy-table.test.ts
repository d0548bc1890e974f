import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyPairKeyObjectResult, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { keyDigest } from '../../src/base/index.ts';
import { buildCertificate, type CertificateRequest, randomSerial } from '../../src/certificates/index.ts';
import {
  associationOf,
  isOurs,
  judgeTarget,
  type PeerIdentity,
  readCertificate,
  type SendTlsPolicy,
  startTlsOf,
  statusOfFailure,
  type TargetTlsPolicy,
  type TlsaRecord,
  type TlsDemand,
} from '../../src/tls/index.ts';

const [header = '', ...rows] = readFileSync(new URL('policy-table.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .filter((line) => !/^# [A-Z]/.test(line));

const host = 'mx.contoso.com';
const dayMs = 86_400_000;
const now = Date.now();

interface Made {
  readonly common: string;
  readonly certificate: X509Certificate;
  readonly keys: KeyPairKeyObjectResult;
}

const named = (common: string): CertificateRequest['subject'] => [[{ oid: '2.5.4.3', value: common, type: 'utf8' }]];

function make(
  common: string,
  dnsNames: readonly string[],
  issuer?: Made,
  change: Partial<CertificateRequest> = {},
): Made {
  const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = issuer?.keys ?? keys;
  const built = buildCertificate({
    subject: named(common),
    issuer: named(issuer?.common ?? common),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    issuerPublicKey: signer.publicKey,
    serial: randomSerial(),
    notBefore: now - 2 * dayMs,
    notAfter: now + dayMs,
    ...(dnsNames.length > 0 && { dnsNames }),
    ...change,
  });
  return { common, certificate: new X509Certificate(built), keys };
}

const anchor = make('Anchor', [], undefined, { ca: true });
const shows = (made: Made, chainError: string, issuer?: Made): PeerIdentity => ({
  encrypted: true,
  chainError,
  certificate: readCertificate(made.certificate.raw),
  chain: [made.certificate.raw, ...(issuer === undefined ? [] : [issuer.certificate.raw])],
});
const pinned = make('old', ['other.example'], undefined, { notAfter: now - dayMs });

/** The columns of the table, each as a connection shows it. */
const peers: Readonly<Record<string, PeerIdentity>> = {
  clear: { encrypted: false, chainError: '' },
  'no-certificate': { encrypted: true, chainError: '' },
  'self-signed': shows(make(host, [host]), 'DEPTH_ZERO_SELF_SIGNED_CERT'),
  expired: shows(make(host, [host], anchor, { notAfter: now - dayMs }), 'CERT_HAS_EXPIRED', anchor),
  'trusted-other-name': shows(make('x', ['other.example'], anchor), '', anchor),
  'trusted-common-name': shows(make(host, [], anchor), '', anchor),
  trusted: shows(make(host, [host], anchor), '', anchor),
  pinned: shows(pinned, 'DEPTH_ZERO_SELF_SIGNED_CERT'),
};

const record = (usage: number, selector: number, of: Made): TlsaRecord => ({
  usage,
  selector,
  matchingType: 1,
  certificate: associationOf(of.certificate, { selector, matchingType: 1 }) ?? Buffer.alloc(0),
});
const demand = (by: TlsDemand['by'], policy: SendTlsPolicy): TlsDemand => ({ by, policy, because: by });
const connector = (policy: SendTlsPolicy): TlsDemand => demand('connector', policy);
const opportunistic = connector({ level: 'opportunistic' });
const daneEe = demand('DANE', { level: 'dane', records: [record(3, 1, pinned)], names: [host] });
const sts = demand('MTA-STS', { level: 'domain', names: [host], subjectAltNameOnly: true });

const asked: Readonly<Record<string, TargetTlsPolicy>> = {
  none: { demands: [connector({ level: 'none' })] },
  opportunistic: { demands: [opportunistic] },
  encryption: { demands: [connector({ level: 'encryption' })] },
  certificate: { demands: [connector({ level: 'certificate' })] },
  domain: { demands: [connector({ level: 'domain', names: [host] })] },
  'dane-ee': { demands: [opportunistic, daneEe] },
  'dane-ta': {
    demands: [opportunistic, demand('DANE', { level: 'dane', records: [record(2, 0, anchor)], names: [host] })],
  },
  'dane-unusable': { demands: [opportunistic, demand('DANE', { level: 'encryption' })] },
  'sts-enforce': { demands: [opportunistic, sts] },
  'sts-testing': { demands: [opportunistic], watched: [sts] },
  'domain+dane-ee': { demands: [connector({ level: 'domain', names: [host] }), daneEe] },
  'direct-trust': {
    demands: [opportunistic, demand('direct trust', { level: 'pinned', keys: [keyDigest(pinned.certificate)] })],
  },
  requiretls: { demands: [opportunistic, demand('REQUIRETLS', { level: 'domain', names: [host] })] },
  'requiretls+dane-ee': { demands: [opportunistic, daneEe] },
  'encryption+sts-enforce': { demands: [connector({ level: 'encryption' }), sts] },
};

function statusOf(unmet: ReturnType<typeof judgeTarget>['unmet']): string {
  if (unmet === undefined) return '-';
  if (unmet.demand.by === 'REQUIRETLS') return '5.7.30';
  return isOurs(unmet.demand.by) ? '4.7.5' : statusOfFailure(unmet.failure);
}

test('the table has every policy with every peer, once', () => {
  assert.equal(header, '# asked\tpeer\tSTARTTLS\treached\tverdict\tfailure\tstatus\ttold');
  const pairs = rows.map((row) => row.split('\t').slice(0, 2).join(' '));
  const expected = Object.keys(asked).flatMap((policy) => Object.keys(peers).map((peer) => `${policy} ${peer}`));
  assert.deepEqual(pairs, expected);
});

for (const row of rows) {
  const [policyName = '', peerName = ''] = row.split('\t');
  test(`${policyName} with a ${peerName} peer`, () => {
    const policy = asked[policyName];
    const peer = peers[peerName];
    assert.ok(policy !== undefined && peer !== undefined);
    const { acceptable, reached, unmet, told, reason } = judgeTarget(policy, peer, now);
    assert.notEqual(reason, '');
    const status = statusOf(unmet);
    const found = [
      startTlsOf(policy),
      reached,
      acceptable ? 'sent' : 'not sent',
      unmet?.failure ?? '-',
      status,
      told[0]?.failure ?? '-',
    ];
    assert.equal([policyName, peerName, ...found].join('\t'), row);
  });
}
