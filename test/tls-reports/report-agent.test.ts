/** Reports of others on their way through the appliance: read, kept, and delivered all the same. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/base/index.ts';
import { DnsFailure } from '../../src/dns/index.ts';
import { ReportFiles, tlsReportAgent } from '../../src/tls-reports/index.ts';
import { Receiving } from '../smtp-receive/receiving.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-report-agent-`);
after(() => rmSync(folder, { recursive: true }));

const report = (text: string | Buffer): string =>
  [
    'From: tls@peer.test',
    'Subject: Report Domain: example.test Submitter: peer.test',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=tlsrpt; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'A report.',
    '--b',
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    '',
    ...(gzipSync(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '--b--',
  ].join('\r\n');
const whole = JSON.stringify({
  'organization-name': 'Peer',
  'report-id': 'r1',
  policies: [
    {
      policy: { 'policy-type': 'sts', 'policy-domain': 'example.test' },
      summary: { 'total-successful-session-count': 5, 'total-failure-session-count': 1 },
      'failure-details': [
        { 'result-type': 'certificate-expired', 'failed-session-count': 1, 'sending-mta-ip': '192.0.2.7' },
      ],
    },
  ],
});

for (const [name, to, content, kept] of [
  ['a report', 'Reports@example.test', report(whole), 1],
  ['a report to another address', 'other@example.test', report(whole), 0],
  ['other mail to the address', 'reports@example.test', 'Subject: hello\r\n\r\nx', 0],
  ['what is no JSON', 'reports@example.test', report('{'), 0],
  ['a bomb', 'reports@example.test', report(Buffer.alloc(6 * 1024 ** 2, 0x20)), 0],
  ['a mail that is too large', 'reports@example.test', report(whole) + '\r\nx'.repeat(500_000), 0],
] as const) {
  test(`${name}: ${kept === 1 ? 'kept' : 'not kept'}, and delivered`, async () => {
    const files = new ReportFiles(mkdtempSync(`${folder}/state-`));
    const agent = tlsReportAgent('reports@example.test', {
      clock: systemClock,
      dns: { ask: () => Promise.reject(new DnsFailure('TIMEOUT', 'a key')) },
      keep: (one) => files.receive(one),
      failed: assert.ifError,
    });
    await using edge = await Receiving.start({ agents: [agent] });
    const client = await edge.greeted();
    await client.ask('MAIL FROM:<tls@peer.test>');
    await client.ask(`RCPT TO:<${to}>`);
    await client.ask('DATA');
    assert.match(await client.ask(`${content}\r\n.`), /^250/);
    assert.equal(edge.queue.kept.length, 1);
    const found = files.received();
    assert.equal(found.length, kept);
    if (kept === 0) return;
    assert.equal(found[0]?.from, 'tls@peer.test');
    assert.equal(found[0].signature?.verdict, 'missing');
    assert.deepEqual(
      found[0].report.policies.map(({ domain, successes, failed, failures }) => [
        domain,
        successes,
        failed,
        failures[0]?.sendingIp,
      ]),
      [['example.test', 5, 1, '192.0.2.7']],
    );
  });
}

test('of too many reports the newest stay', async () => {
  const files = new ReportFiles(mkdtempSync(`${folder}/state-`));
  const empty = { organization: '', contact: '', id: '', begin: '', end: '', policies: [] };
  for (let i = 0; i < 1_003; i++) await files.receive({ receivedAt: i, from: '', report: empty });
  const kept = files.received().map(({ receivedAt }) => receivedAt);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [1_000, 3, 1_002]);
});
