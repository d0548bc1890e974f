/** NDRDiagnosticInfoEnabled off: what the next hop said stays here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildReport } from '../../src/mail/index.ts';
import { testMessage } from '../smtp-send/fake-work.ts';

for (const diagnostics of [true, false]) {
  test(`diagnostics ${diagnostics}`, () => {
    const { message, content } = testMessage({});
    const reply = '550 5.1.1 inner-host-7 says no';
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
    assert.match(report.content.toString(), /Status: 5\.1\.1/);
  });
}
