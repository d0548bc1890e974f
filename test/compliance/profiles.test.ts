import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Facts,
  judge,
  loadProfile,
  parseProfile,
  profileNames,
  proveProfile,
} from '../../src/compliance/index.ts';

const table = JSON.parse(readFileSync(new URL('./golden/facts.json', import.meta.url), 'utf8')) as Record<
  string,
  Facts
>;
/** The table leaves out what is another in every run. */
const steady = {
  sha256: 'ab'.repeat(32),
  serial: '5A',
  version: 3,
  notBefore: '2026-11-01T00:00:00Z',
  notAfter: '2027-11-01T00:00:00Z',
};
const golden: Record<string, Facts> = Object.fromEntries(
  Object.entries(table).map(([name, facts]) => [
    name,
    { ...facts, certificates: facts.certificates.map((certificate) => ({ ...steady, ...certificate })) },
  ]),
);
/** Where users hand mail in. */
const context = { now: Date.parse('2026-12-01T00:00:00Z'), port: 587 };

for (const name of profileNames()) {
  test(`profile ${name} reads, has distinct rules, and judges every endpoint of the laboratory`, () => {
    const profile = loadProfile(name);
    proveProfile(profile);
    const ids = profile.rules.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const rule of profile.rules)
      assert.ok(rule.source !== '' && rule.confidence !== '', `${rule.id} names no source`);
    for (const facts of Object.values(golden)) {
      for (const verdict of Object.values(judge(facts, profile, context))) {
        assert.match(verdict.verdict, /^(pass|notice|warn|fail|info|not-applicable|not-tested\(.+\))$/s);
      }
    }
  });
}

/** Endpoint, profile, rule → verdict: the rows that matter most. */
const rows: readonly (readonly [string, string, string, string])[] = [
  ['openssl-tls10-only', 'bcp195', 'BCP195-VERSION-TLS1_0', 'fail'],
  ['openssl-tls10-only', 'bcp195', 'BCP195-VERSION-TLS1_2', 'fail'],
  ['openssl-tls13-only', 'mozilla-modern-6.0', 'MOZM-VERSION-TLS1_2', 'pass'],
  ['openssl-default', 'mozilla-modern-6.0', 'MOZM-VERSION-TLS1_2', 'fail'],
  ['openssl-default', 'ncsc-nl-2025-05', 'NCSC-FFDHE', 'fail'],
  ['openssl-default', 'ncsc-nl-2025-05', 'NCSC-KEY', 'warn'],
  ['openssl-default', 'bsi-tr-02102-2-2025-01', 'BSI-KEY', 'warn'],
  ['openssl-default', 'nist-sp-800-52r2', 'NIST-SUITES-TLS1_3', 'fail'],
  ['openssl-default', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_2', 'warn'],
  ['openssl-tls12-modern', 'mozilla-intermediate-6.0', 'MOZI-SUITES-TLS1_2', 'pass'],
  ['openssl-tls12-modern', 'mozilla-intermediate-6.0', 'MOZI-VERSION-TLS1_3', 'fail'],
  ['openssl-tls12-modern', 'nist-sp-800-52r2', 'NIST-FEATURE-ENCRYPTTHENMAC', 'not-applicable'],
  ['openssl-null-and-anonymous', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_2', 'fail'],
  ['openssl-null-and-anonymous', 'bcp195', 'BCP195-SUITES-TLS1_2', 'fail'],
  ['openssl-early-data', 'mail-baseline', 'M-0RTT', 'fail'],
  ['openssl-default', 'mail-baseline', 'M-0RTT', 'pass'],
  ['openssl-renegotiation', 'bsi-tr-02102-2-2025-01', 'BSI-FEATURE-CLIENTRENEGOTIATION', 'warn'],
  ['openssl-brainpool', 'bsi-tr-03108-1', 'TR03108-GROUPS-REQUIRED', 'fail'],
  ['node-hybrid-groups', 'mozilla-modern-6.0', 'MOZM-GROUP-PQ', 'pass'],
  ['gnutls-rc4-3des-null', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_2', 'fail'],
  ['bytes-ssl2', 'bcp195', 'BCP195-VERSION-SSL2', 'fail'],
  ['bytes-large-hello-intolerant', 'mail-baseline', 'M-LARGE-HELLO', 'warn'],
  [
    'bytes-refuses-all',
    'bcp195',
    'BCP195-VERSION-SSL3',
    'not-tested(no hello was accepted, so refusals prove nothing)',
  ],
  [
    'bytes-refuses-after-ten',
    'bcp195',
    'BCP195-SUITES-TLS1_2',
    'not-tested(the endpoint stopped answering hellos that it took before: alert handshake_failure)',
  ],
  ['openssl-staple', 'mail-baseline', 'M-CERT-STAPLE', 'pass'],
  ['openssl-staple-missing', 'mail-baseline', 'M-CERT-STAPLE', 'fail'],
  ['openssl-staple-revoked', 'mail-baseline', 'M-CERT-STAPLE', 'fail'],
  ['openssl-staple-by-stranger', 'mail-baseline', 'M-CERT-STAPLE', 'fail'],
  ['openssl-default', 'mail-baseline', 'M-CERT-STAPLE', 'pass'],
  ['openssl-staple-missing', 'mozilla-modern-6.0', 'MOZM-FEATURE-OCSPSTAPLE', 'notice'],
  ['openssl-staple', 'mozilla-modern-6.0', 'MOZM-FEATURE-OCSPSTAPLE', 'pass'],
  ['bytes-compression-heartbeat-truncated-hmac', 'bcp195', 'BCP195-FEATURE-COMPRESSION', 'fail'],
  ['bytes-compression-heartbeat-truncated-hmac', 'bsi-tr-02102-2-2025-01', 'BSI-FEATURE-HEARTBEAT', 'warn'],
  ['bytes-compression-heartbeat-truncated-hmac', 'bsi-tr-02102-2-2025-01', 'BSI-FEATURE-TRUNCATEDHMAC', 'warn'],
  ['bytes-export', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_0', 'fail'],
  ['bytes-export', 'bcp195', 'BCP195-FFDHE', 'fail'],
  ['gnutls-unsafe-renegotiation', 'bcp195', 'BCP195-FEATURE-SECURERENEGOTIATION', 'fail'],
  ['openssl-tls10-only', 'ncsc-nl-2021-v2.1', 'NCSC21-VERSION-TLS1_0', 'warn'],
  ['openssl-tls10-only', 'nist-sp-800-52r2', 'NIST-FEATURE-FALLBACKSCSV', 'not-applicable'],
  ['postfix-default', 'nist-sp-800-52r2', 'NIST-FEATURE-FALLBACKSCSV', 'not-applicable'],
  ['bytes-export', 'nist-sp-800-52r2', 'NIST-FEATURE-FALLBACKSCSV', 'fail'],
  ['openssl-weak-first', 'nist-sp-800-52r2', 'NIST-ORDER', 'warn'],
  ['openssl-weak-first', 'nist-sp-800-52r2', 'NIST-ORDER-EPHEMERAL', 'pass'],
  ['openssl-weak-first', 'ncsc-nl-2025-05', 'NCSC-ORDER', 'fail'],
  ['openssl-two-keys', 'mozilla-old-5.8', 'MOZO-ORDER', 'fail'],
  ['gnutls-raw-keys', 'nist-sp-800-52r2', 'NIST-FEATURE-RAWPUBLICKEYS', 'fail'],
  ['gnutls-raw-keys-tls12', 'nist-sp-800-52r2', 'NIST-FEATURE-RAWPUBLICKEYS', 'fail'],
  ['openssl-tls13-only', 'nist-sp-800-52r2', 'NIST-FEATURE-RAWPUBLICKEYS', 'pass'],
  ['bytes-compression-heartbeat-truncated-hmac', 'nist-sp-800-52r2', 'NIST-FEATURE-CLIENTCERTIFICATEURL', 'warn'],
  ['openssl-default', 'nist-sp-800-52r2', 'NIST-FEATURE-CLIENTCERTIFICATEURL', 'pass'],
  ['bytes-compression-heartbeat-truncated-hmac', 'nist-sp-800-52r2', 'NIST-FEATURE-STATUSREQUESTV2', 'pass'],
  ['nss-ssl3', 'nist-sp-800-52r2', 'NIST-PADDING', 'fail'],
  ['openssl-tls13-only', 'nist-sp-800-52r2', 'NIST-PADDING', 'pass'],
  ['openssl-default', 'nist-sp-800-52r2', 'NIST-PADDING', 'info'],
  [
    'openssl-no-tickets',
    'nist-sp-800-52r2',
    'NIST-PADDING',
    'not-tested(CBC suites are taken without encrypt-then-MAC, and only an attack would show whether padding tells)',
  ],
  ['bytes-reset', 'nist-sp-800-52r2', 'NIST-PADDING', 'not-tested(reset after the ClientHello)'],
  ['openssl-default', 'bsi-tr-03108-1', 'TR03108-AUTHORITY', 'info'],
  ['openssl-default', 'pci-dss-4.0.1', 'PCI-INVENTORY-CERTIFICATES', 'info'],
  ['bytes-reset', 'pci-dss-4.0.1', 'PCI-INVENTORY-SUITES', 'not-tested(reset after the ClientHello)'],
  ['openssl-timestamps', 'nist-sp-800-52r2', 'NIST-SCT', 'pass'],
  ['openssl-default', 'nist-sp-800-52r2', 'NIST-SCT', 'info'],
  ['postfix-default', 'mozilla-old-5.8', 'MOZO-ORDER', 'fail'],
  ['postfix-default', 'mozilla-old-5.8', 'MOZO-VERSION-TLS1_0', 'pass'],
  ['openssl-default', 'bcp195', 'BCP195-FEATURE-ENCRYPTTHENMAC', 'pass'],
  ['openssl-no-tickets', 'bcp195', 'BCP195-FEATURE-ENCRYPTTHENMAC', 'warn'],
  ['openssl-tls10-only', 'ncsc-nl-2025-05', 'NCSC-FFDHE', 'fail'],
  ['openssl-null-and-anonymous', 'bcp195', 'BCP195-FFDHE', 'fail'],
  ['node-hybrids-only', 'mozilla-modern-6.0', 'MOZM-GROUP-PQ', 'pass'],
  ['nss-ssl3', 'bcp195', 'BCP195-VERSION-SSL3', 'fail'],
  ['nss-tls13', 'mail-baseline', 'M-0RTT', 'fail'],
  ['postfix-default', 'mail-baseline', 'M-STARTTLS-INSIDE', 'pass'],
  ['postfix-default', 'mail-baseline', 'M-STARTTLS-RESET', 'pass'],
  ['postfix-default', 'bcp195', 'BCP195-VERSION-TLS1_0', 'fail'],
  ['exim-default', 'mail-baseline', 'M-STARTTLS-INJECT', 'pass'],
  ['dovecot-lmtp', 'mail-baseline', 'M-STARTTLS-PARAM', 'pass'],
  ['slapd-starttls', 'bcp195', 'BCP195-VERSION-TLS1_1', 'fail'],
  ['slapd-starttls', 'mail-baseline', 'M-STARTTLS-OFFER', 'not-applicable'],
  ['smtp-offers-again', 'mail-baseline', 'M-STARTTLS-INSIDE', 'warn'],
  ['smtp-good', 'mail-baseline', 'M-STARTTLS-OFFER', 'pass'],
  ['smtp-good', 'mail-baseline', 'M-STARTTLS-INJECT', 'pass'],
  ['smtp-good', 'mail-baseline', 'M-REQUIRETLS', 'pass'],
  ['smtp-no-starttls', 'mail-baseline', 'M-STARTTLS-OFFER', 'fail'],
  ['smtp-masked-starttls', 'mail-baseline', 'M-STARTTLS-STRIP', 'fail'],
  ['smtp-auth-before-tls', 'mail-baseline', 'M-AUTH-PLAINTEXT', 'fail'],
  ['smtp-starttls-parameter', 'mail-baseline', 'M-STARTTLS-PARAM', 'warn'],
  ['smtp-injection', 'mail-baseline', 'M-STARTTLS-INJECT', 'fail'],
  ['smtp-keeps-state', 'mail-baseline', 'M-STARTTLS-RESET', 'warn'],
  ['smtp-requiretls-in-clear', 'mail-baseline', 'M-REQUIRETLS', 'fail'],
  [
    'smtp-greeting-421',
    'mail-baseline',
    'M-STARTTLS-OFFER',
    'not-tested(the connection was answered 421 4.3.2 closing)',
  ],
];
for (const [endpoint, profile, rule, wanted] of rows) {
  test(`${endpoint}, ${rule}: ${wanted}`, () => {
    const facts = golden[endpoint];
    assert.ok(facts !== undefined, 'no such endpoint');
    assert.equal(judge(facts, loadProfile(profile), context)[rule]?.verdict, wanted);
  });
}

test('what is not known of an older version makes no rule pointless', () => {
  const facts = golden['openssl-tls13-only'] ?? assert.fail();
  const cut = {
    ...facts,
    protocols: { ...facts.protocols, tls1_2: 'not-tested' as const },
    untested: { 'protocols.tls1_2': 'time is up' },
  };
  const verdictOf = (seen: Facts, profile: string, rule: string): string | undefined =>
    judge(seen, loadProfile(profile), context)[rule]?.verdict;
  for (const [profile, rule] of [
    ['bcp195', 'BCP195-FEATURE-ENCRYPTTHENMAC'],
    ['nist-sp-800-52r2', 'NIST-PADDING'],
    ['nist-sp-800-52r2', 'NIST-FEATURE-COMPRESSION'],
  ] as const) {
    assert.notEqual(verdictOf(facts, profile, rule), 'not-tested(time is up)');
    assert.equal(verdictOf(cut, profile, rule), 'not-tested(time is up)');
  }
});

test('BCP 195 is mild where mail comes by MX: who refuses there gets it in the clear', () => {
  const facts = golden['openssl-tls10-only'] ?? assert.fail();
  const profile = loadProfile('bcp195');
  const verdictOn = (port: number): string | undefined =>
    judge(facts, profile, { ...context, port })['BCP195-VERSION-TLS1_0']?.verdict;
  assert.deepEqual([verdictOn(25), verdictOn(465), verdictOn(2525)], ['warn', 'fail', 'fail']);
});

const good = {
  id: 'X-1',
  title: 't',
  check: 'protocol',
  subject: 'ssl3',
  expect: 'not-offered',
  miss: 'fail',
  source: 's',
  confidence: 'high',
};
const file = (rules: unknown, more: object = {}): string =>
  JSON.stringify({ schema: 'edge.tls-profile/1', id: 'x', title: 'X', rules, ...more });
const bad: readonly (readonly [string, RegExp])[] = [
  ['{', /no JSON/],
  ['[]', /schema/],
  [file([good], { schema: 'other' }), /schema/],
  [file({}), /'rules'/],
  [file(['text']), /no object/],
  [file([{ ...good, miss: 'terrible' }]), /rule X-1: 'miss'/],
  [file([{ ...good, accept: 'all' }]), /rule X-1: 'accept'/],
  [file([{ ...good, source: undefined }]), /rule X-1: 'source'/],
  [file([{ ...good, minBits: '2048' }]), /rule X-1: 'minBits'/],
  [file([{ ...good, applies: 'always' }]), /rule X-1: 'applies'/],
  [file([{ ...good, rsaBits: 2048 }]), /rule X-1: 'rsaBits'/],
  [file([{ ...good, curves: { accept: 'x25519' } }]), /rule X-1: 'curves'/],
  [file([good, good]), /two rules 'X-1'/],
  [file([{ ...good, steps: [{ maxDays: 1 }] }]), /rule X-1: 'steps'/],
];
for (const [text, reason] of bad) {
  test(`own profile refused: ${reason.source}`, () => assert.throws(() => parseProfile(text, 'own.json'), reason));
}

test('an own profile judges, and a check that does not exist is named', () => {
  const facts = golden['openssl-default'];
  assert.ok(facts !== undefined);
  assert.equal(judge(facts, parseProfile(file([good]), 'own.json'), context)['X-1']?.verdict, 'pass');
  assert.throws(
    () => proveProfile(parseProfile(file([{ ...good, subject: 'tls9' }]), 'own.json')),
    /rule X-1: .*tls1_3/,
  );
  const odd = parseProfile(file([{ ...good, check: 'weather' }]), 'own.json');
  assert.throws(() => judge(facts, odd, context), /no check 'weather'/);
  assert.throws(() => proveProfile(odd), /rule X-1: there is no check 'weather'/);
});
