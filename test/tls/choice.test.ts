import assert from 'node:assert/strict';
import { test } from 'node:test';
import { host, makeChains } from '../../certs/make.ts';
import {
  type CertificateCandidate,
  type CertificateQuery,
  chooseReceiveCertificate,
  formatTlsCertificateName,
  matchesHost,
  type ParsedCertificate,
  readCertificate,
} from '../../src/tls/index.ts';

const now = Date.UTC(2026, 0, 15);
const dayMs = 86_400_000;
const { chains } = makeChains(now, ['good-rsa', 'wrong-name', 'good-wildcard']);
const good = readCertificate(chains['good-rsa']?.der ?? '');

function candidate(
  name: string,
  certificate: Partial<ParsedCertificate> = {},
  rest: Partial<CertificateCandidate> = {},
): CertificateCandidate & { name: string } {
  const thumbprint = name.padEnd(8);
  return {
    name,
    certificate: { ...good, ...certificate, thumbprint },
    hasPrivateKey: true,
    enabledForSmtp: true,
    ...rest,
  };
}

const other = readCertificate(chains['wrong-name']?.der ?? '');
const wildcard = readCertificate(chains['good-wildcard']?.der ?? '');
const byName = formatTlsCertificateName(good);

/** Candidates, what the connector says, and the name of the one chosen with a part of the reasons for the others. */
const rows: readonly [
  what: string,
  CertificateCandidate[],
  Partial<CertificateQuery>,
  chosen: string,
  others?: readonly RegExp[],
][] = [
  ['one that fits', [candidate('a')], {}, 'a'],
  ['none at all', [], {}, ''],
  ['another name only', [candidate('a', other)], {}, '', [/does not stand for mail\.edge\.test/]],
  [
    'the connector has its own Fqdn',
    [candidate('a'), candidate('b', { ...other })],
    { fqdn: 'other.edge.test' },
    'b',
    [/does not stand for other/],
  ],
  ['a wildcard', [candidate('w', wildcard)], {}, 'w'],
  ['the common name counts for our own', [candidate('a', { dnsNames: ['x.test'] })], {}, 'a'],
  [
    'the newest wins',
    [candidate('old', { notBefore: now - 9 * dayMs }), candidate('new', { notBefore: now - dayMs })],
    {},
    'new',
    [/is older/],
  ],
  [
    'an authority before itself, though older',
    [candidate('self', { selfSigned: true }), candidate('ca', { notBefore: now - 60 * dayMs })],
    {},
    'ca',
    [/is self-signed/],
  ],
  [
    'self-signed when nothing else is there',
    [candidate('s1', { selfSigned: true, notBefore: 1 }), candidate('s2', { selfSigned: true })],
    {},
    's2',
    [/is older/],
  ],
  [
    'valid and self-signed before expired',
    [candidate('old', { notAfter: now - 1 }), candidate('self', { selfSigned: true })],
    {},
    'self',
    [/expired on 2026-01-14/],
  ],
  ['expired is offered all the same', [candidate('old', { notAfter: now - 1 })], {}, 'old'],
  ['not yet valid is offered all the same', [candidate('early', { notBefore: now + 1 })], {}, 'early'],
  ['no private key', [candidate('a', {}, { hasPrivateKey: false })], {}, '', [/no private key/]],
  ['not enabled', [candidate('a', {}, { enabledForSmtp: false })], {}, '', [/not enabled for SMTP/]],
  ['version 1', [candidate('a', { version: 1 })], {}, '', [/version 1/]],
  [
    'by TlsCertificateName',
    [candidate('a'), candidate('b', other)],
    { tlsCertificateName: byName, fqdn: 'other.edge.test' },
    'a',
    [/TlsCertificateName/],
  ],
  [
    'by TlsCertificateName in other case and spacing',
    [candidate('a')],
    { tlsCertificateName: byName.toUpperCase().replaceAll(', ', ' ,  ') },
    'a',
  ],
  [
    'TlsCertificateName renewed: the newer one',
    [candidate('a', { notBefore: now - 2 * dayMs }), candidate('b', { notBefore: now - dayMs })],
    { tlsCertificateName: byName },
    'b',
    [/is older/],
  ],
  [
    'TlsCertificateName that nobody has',
    [candidate('a')],
    { tlsCertificateName: '<I>CN=x<S>CN=y' },
    '',
    [/TlsCertificateName/],
  ],
  ['TlsCertificateName that does not parse', [candidate('a')], { tlsCertificateName: 'thumbprint' }, ''],
];
for (const [what, candidates, query, chosen, others = []] of rows) {
  test(`choice: ${what}`, () => {
    const choice = chooseReceiveCertificate(candidates, { serverFqdn: host, now, ...query });
    assert.equal(choice.chosen?.certificate.thumbprint.trim() ?? '', chosen);
    assert.notEqual(choice.reason, '');
    if (others.length > 0) assert.equal(choice.passedOver.length, others.length);
    for (const [i, reason] of others.entries()) assert.match(choice.passedOver[i]?.reason ?? '', reason);
    const missing = candidates.length - (chosen === '' ? 0 : 1);
    if (what !== 'TlsCertificateName that does not parse')
      assert.equal(choice.passedOver.length, missing, 'every other one is accounted for');
    assert.equal(choice.outOfDate, /offered all the same/.test(what));
  });
}

test('the order of the store does not matter', () => {
  const list = [
    candidate('a', { notBefore: 3 }),
    candidate('b', { notBefore: 2 }),
    candidate('c', { selfSigned: true, notBefore: 9 }),
    candidate('d', { notAfter: 5 }),
  ];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
    [1, 3, 0, 2],
  ]) {
    const shuffled = order.map((i) => list[i]).filter((one) => one !== undefined);
    assert.equal(chooseReceiveCertificate(shuffled, { serverFqdn: host, now }).chosen?.name, 'a');
  }
});

const hosts: readonly [names: string[], commonName: string, host: string, boolean][] = [
  [['mail.a.test'], '', 'mail.a.test', true],
  [['mail.a.test'], '', 'MAIL.A.TEST.', true],
  [['*.a.test'], '', 'mail.a.test', true],
  [['*.a.test'], '', 'a.test', false],
  [['*.a.test'], '', 'x.mail.a.test', false],
  [['*.test'], '', 'a.test', false],
  [['*'], '', 'a', false],
  [['m*.a.test'], '', 'mail.a.test', false],
  [['mail.*.test'], '', 'mail.a.test', false],
  [['x.test'], 'mail.a.test', 'mail.a.test', false],
  [[], 'mail.a.test', 'mail.a.test', true],
  [[], '', '', false],
  [['mail.a.test.evil'], '', 'mail.a.test', false],
];
for (const [dnsNames, commonName, name, expected] of hosts) {
  test(`[${dnsNames.join()}] CN=${commonName} ${expected ? 'stands' : 'does not stand'} for '${name}'`, () => {
    assert.equal(matchesHost({ dnsNames, commonName }, name), expected);
  });
}
