/** NDRDiagnosticInfoEnabled off: what the next hop said stays here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildReport } from '../../src/mail/index.ts';
import { testMessage } from '../smtp-send/fake-work.ts';

for (const diagnostics of [true, false]) {
  test(`diagnostics ${diagnostics}`, () => {
    const { message, content } = testMessage({});
    const reply = '550 5.1.1 inner-host-7 schließt für heute';
    const report = buildReport({
      kind: 'failed',
      message,
      recipients: [{ index: 0, reply, remote: 'hub [192.0.2.1]:25' }],
      reportingMta: 'edge.example',
      postmaster: 'postmaster@edge.example',
      diagnostics,
      header: content,
      language: 'en',
      html: true,
      now: 0,
      id: 'x',
    });
    assert.equal(report.content.includes('inner-host-7'), diagnostics);
    const status = report.content.toString().replaceAll('\r\n ', ' ');
    assert.match(status, /Status: 5\.1\.1/);
    // RFC 3464 §2.3.6: ASCII, unless the report is a global one.
    assert.equal(status.includes('smtp;550 5.1.1 inner-host-7 schliesst fur heute\r\n'), diagnostics);
  });
}
