/** What people read: the text at 80 columns, the lines that mend, the HTML. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Facts,
  htmlReport,
  judge,
  loadProfile,
  profileNames,
  type Report,
  textReport,
} from '../../src/compliance/index.ts';
import { filledFix } from '../../src/compliance/report/filled-fix.ts';
import type { Fix } from '../../src/compliance/report/fix.ts';
import { fixFor } from '../../src/compliance/report/fixes.ts';
import { edge } from '../lib/appliance.ts';

const golden = JSON.parse(readFileSync(new URL('./golden/facts.json', import.meta.url), 'utf8')) as Record<
  string,
  Facts
>;
const profiles = profileNames().map(loadProfile);

/** The golden facts leave out what changes from run to run. */
function reportOf(name: string): Report {
  const facts = golden[name] ?? assert.fail(name);
  const dates = { notBefore: '2026-11-01T00:00:00.000Z', notAfter: '2027-01-29T00:00:00.000Z' };
  const dated = { ...facts, certificates: facts.certificates.map((one) => ({ ...one, ...dates })) };
  const context = { now: Date.parse('2026-12-01T00:00:00Z'), port: 25 };
  return {
    schema: 'edge.tls-report/1',
    target: { host: 'mail.edge.test', address: '192.0.2.1', port: 25, protocol: 'smtp', asked: 'edge.test' },
    at: '2026-12-01T00:00:00.000Z',
    facts: dated,
    verdicts: Object.fromEntries(profiles.map((profile) => [profile.id, judge(dated, profile, context)])),
    connections: 146,
    seconds: 3.5,
  };
}

/** Every fix that any endpoint of the laboratory gets. */
function* fixes(): Generator<Fix> {
  for (const name of Object.keys(golden)) {
    const { verdicts } = reportOf(name);
    for (const profile of profiles)
      for (const rule of profile.rules) {
        const { verdict = '', evidence = '' } = verdicts[profile.id]?.[rule.id] ?? {};
        const fix = /^(fail|warn|notice)$/.test(verdict) ? fixFor({ rule, profile: profile.id, evidence }) : undefined;
        if (fix !== undefined) yield fix;
      }
  }
}

test('no line of the text is wider than the terminal, but for those that are copied', () => {
  for (const name of Object.keys(golden)) {
    const lines = textReport(reportOf(name), { profiles, colour: false, width: 80 }).split('\n');
    const wide = lines.filter((line) => line.length > 80 && !/^ {15}(Edge|Exchange|Postfix|mend):/.test(line));
    assert.deepEqual(wide, [], name);
  }
});

test('what was not tested for one reason stands together, and a fix stands once', () => {
  const closed = textReport(reportOf('smtp-no-starttls'), { profiles, colour: false });
  assert.match(closed, /not-tested \d+ rules: STARTTLS is not offered\n/);
  assert.equal(closed.split('smtpd_tls_security_level = may').length, 2);
});

test('the lines for Edge are lines that its shell takes', async () => {
  const lines = new Set(
    [...fixes()].flatMap(({ edge: line }) =>
      line.split(/; then |: they /).filter((part) => /^(Set|New|Import)-\w+ -?\w+ -/.test(part)),
    ),
  );
  assert.ok(lines.size >= 6, [...lines].join('\n'));
  const checked = [...lines].map((line) => line.replace('NAME', '"From the Internet"').replace(/, or .*/, ''));
  const { status, out, error } = await edge('shell', '--check', ...checked.flatMap((line) => ['-c', line]));
  assert.deepEqual([status, out, error], [0, '', '']);
});

/** Rule, as it is missed at an endpoint → what Postfix sets. */
const rows: readonly (readonly [string, string, string, RegExp])[] = [
  ['openssl-tls10-only', 'bcp195', 'BCP195-VERSION-TLS1_0', /^smtpd_tls_protocols = >=TLSv1\.2,/],
  ['openssl-default', 'mozilla-modern-6.0', 'MOZM-VERSION-TLS1_2', /^smtpd_tls_protocols = >=TLSv1\.3,/],
  ['openssl-null-and-anonymous', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_2', /^smtpd_tls_exclude_ciphers = aNULL, eNULL$/],
  ['gnutls-rc4-3des-null', 'pci-dss-4.0.1', 'PCI-SUITES-TLS1_2', /RC4, 3DES/],
  ['smtp-auth-before-tls', 'mail-baseline', 'M-AUTH-PLAINTEXT', /^smtpd_tls_auth_only = yes$/],
  ['smtp-no-starttls', 'mail-baseline', 'M-STARTTLS-OFFER', /^smtpd_tls_security_level = may$/],
];
for (const [endpoint, id, wanted, line] of rows) {
  test(`${endpoint}, ${wanted}: Postfix sets ${line.source}`, () => {
    const rule = loadProfile(id).rules.find((one) => one.id === wanted) ?? assert.fail(wanted);
    const { evidence = '' } = reportOf(endpoint).verdicts[id]?.[wanted] ?? {};
    assert.match(fixFor({ rule, profile: id, evidence })?.postfix ?? '', line);
  });
}

test('every miss of every profile has a line for each server', () => {
  for (const { id, rules } of profiles)
    for (const rule of rules) {
      const fix = fixFor({ rule, profile: id, evidence: '' });
      assert.ok(fix !== undefined && Object.values(fix).every((line: string) => line.length > 3), `${id} ${rule.id}`);
    }
});

test('the lines name what the report knows: connector, host, domain, digest', () => {
  const report = reportOf('postfix-default');
  const facts = {
    ...report.facts,
    certificates: report.facts.certificates.map((one) => ({ ...one, spkiSha256: 'ab'.repeat(32) })),
  };
  const lineOf = (check: string, subject: string, target: Partial<Report['target']>): string =>
    filledFix(
      { rule: { check, subject, expect: '' }, profile: 'mail-baseline', evidence: '' },
      { facts, target: { ...report.target, ...target } },
    )?.edge ?? '';
  const connector = { connector: "Bob's", asked: "Bob's" };
  assert.equal(lineOf('mail', 'starttls', connector), "Set-ReceiveConnector 'Bob''s' -AuthMechanism Tls");
  assert.equal(lineOf('mail', 'starttls', {}), 'Set-ReceiveConnector NAME -AuthMechanism Tls');
  assert.match(lineOf('key', '', connector), /-DomainName mail\.edge\.test; then Set-ReceiveConnector 'Bob''s' /);
  assert.equal(
    lineOf('domain', 'tlsaPresent', { port: 587 }),
    `_587._tcp.mail.edge.test. IN TLSA 3 1 1 ${'ab'.repeat(32)}`,
  );
  assert.match(lineOf('domain', 'tlsRpt', { asked: 'edge.test' }), /^_smtp\._tls\.edge\.test\. IN TXT .*@edge\.test"$/);
  assert.match(lineOf('domain', 'tlsRpt', { asked: 'mx.edge.test:25' }), /^_smtp\._tls\.DOMAIN\./);
});

test('the HTML refers to nothing outside, and shows what an endpoint chose as text', () => {
  const hostile = '<script>alert(1)</script>';
  const report = reportOf('postfix-default');
  const [first, ...more] = report.facts.certificates;
  assert.ok(first !== undefined);
  const facts = { ...report.facts, certificates: [{ ...first, subject: hostile }, ...more] };
  const html = htmlReport([{ ...report, facts }], profiles);
  assert.doesNotMatch(html, /<script|src=|href="[^#]|url\(|@import/);
  assert.ok(html.includes('&#60;script&#62;'));
});
