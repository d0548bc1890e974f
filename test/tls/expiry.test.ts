import assert from 'node:assert/strict';
import { test } from 'node:test';
import { host, makeChains } from '../../certs/make.ts';
import { systemClock } from '../../src/base/index.ts';
import { testReceiveConnector, testSnapshot } from '../../src/config/index.ts';
import { CertificateWatch } from '../../src/services/directory/certificate-watch.ts';
import { type CertificateCandidate, certificateNotices, readCertificate } from '../../src/tls/index.ts';

const now = Date.UTC(2026, 5, 1);
const dayMs = 86_400_000;
const good = readCertificate(makeChains(now, ['good-rsa']).chains['good-rsa']?.der ?? '');
const candidate = (thumbprint: string, days: number, notBefore = now - dayMs): CertificateCandidate => ({
  certificate: { ...good, thumbprint, notBefore, notAfter: now + days * dayMs },
  hasPrivateKey: true,
  enabledForSmtp: true,
});
const place = { title: 'receive connector A', tlsCertificateName: '', fqdn: host };
const limits = (candidates: CertificateCandidate[], places = [place]): number[] =>
  certificateNotices(candidates, places, { serverFqdn: host, now }).expiring.map(({ within }) => within);

for (const [days, within] of [
  [61, []],
  [60, [60]],
  [31, [60]],
  [30, [30]],
  [8, [30]],
  [7, [7]],
  [0.5, [7]],
  [0, [0]],
  [-3, [0]],
] as const) {
  test(`a certificate that ends in ${days} days: ${within.join() || 'nothing to tell'}`, () =>
    assert.deepEqual(limits([candidate('AA', days)]), within));
}

test('only what is shown somewhere counts', () => {
  assert.deepEqual(limits([candidate('OLD', 5, now - 9 * dayMs), candidate('NEW', 90)]), []);
  assert.deepEqual(limits([candidate('AA', 5)], []), []);
  const {
    expiring: [notice],
  } = certificateNotices([candidate('AA', 5)], [place, { ...place, title: 'LDAPS' }], { serverFqdn: host, now });
  assert.match(notice?.text ?? '', /expires in 5 days, on 2026-06-06; it is shown by receive connector A, LDAPS/);
});

test('told once for each limit in the log, as a fault in the last week, and over when a new one is there', () => {
  const told: string[] = [];
  let list = [candidate('AA', 29)];
  const snapshot = testSnapshot({ receiveConnectors: [testReceiveConnector({ name: 'A', fqdn: host })] });
  let at = now;
  using watch = new CertificateWatch({
    clock: { ...systemClock, now: () => at },
    certificates: { list: () => list as never },
    configuration: () => snapshot,
    faults: { begin: (key) => void told.push(`begin ${key}`), end: (key) => void told.push(`end ${key}`) },
    warn: (text) => void told.push(text.replace(/.*(expires in \d+ days).*/, '$1')),
  });
  watch.look();
  watch.look();
  at += 23 * dayMs;
  watch.look();
  list = [...list, candidate('BB', 90, at - 1)];
  watch.look();
  assert.deepEqual(told, ['expires in 29 days', 'begin certificate AA', 'end certificate AA']);
});

test('a connector whose certificate is not there is a fault until it is', () => {
  const told: string[] = [];
  let list: CertificateCandidate[] = [];
  const named = '<I>CN=Nobody<S>CN=nothing.example';
  let tlsCertificateName: string | null = null;
  using watch = new CertificateWatch({
    clock: { ...systemClock, now: () => now },
    certificates: { list: () => list as never },
    configuration: () =>
      testSnapshot({ receiveConnectors: [testReceiveConnector({ name: 'A', fqdn: host, tlsCertificateName })] }),
    faults: { begin: (key) => void told.push(`begin ${key}`), end: (key) => void told.push(`end ${key}`) },
    warn: () => undefined,
  });
  const look = (): string[] => (watch.look(), told.splice(0));
  assert.deepEqual(look(), ['begin no certificate receive connector A', 'begin no certificate LDAPS']);
  list = [candidate('AA', 90)];
  assert.deepEqual(look(), ['end no certificate receive connector A', 'end no certificate LDAPS']);
  tlsCertificateName = named;
  assert.deepEqual(look(), ['begin no certificate receive connector A']);
  tlsCertificateName = null;
  assert.deepEqual(look(), ['end no certificate receive connector A']);
});
