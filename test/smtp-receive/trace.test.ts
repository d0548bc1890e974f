import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionOrigin } from '../../src/smtp-receive/session/session-parts.ts';
import { TraceFields } from '../../src/smtp-receive/session/trace.ts';

const origin = {
  remoteAddress: '192.0.2.1',
  localAddress: '198.51.100.7',
  profile: { fqdn: 'edge.fabrikam.com' },
} as SessionOrigin;
const session = { origin, helo: 'a.test', extended: true, tls: undefined, authenticated: false };
const argument = { from: null, body: '7BIT', smtpUtf8: false } as const;
const recipients = [{ address: 'a@fabrikam.com', domain: 'fabrikam.com' }];
const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', standardName: 'TLS_AES_128_GCM_SHA256' };

test('each field of a session says what the session was, and the message had, when it came', () => {
  const fields = new TraceFields();
  const of = (changed: object, message: object = {}): string =>
    fields
      .of({ ...session, ...changed }, { recipients, argument, ...message }, { id: 'ID', at: 0 })
      .replaceAll('\r\n', '')
      .replace('; Thu, 01 Jan 1970 00:00:00 +0000', '');
  const by = 'by edge.fabrikam.com ([198.51.100.7])';
  for (let round = 0; round < 2; round++) {
    assert.equal(of({}), `Received: from a.test ([192.0.2.1]) ${by} with ESMTP id ID for <a@fabrikam.com>`);
    assert.equal(
      of({ helo: 'b.test' }),
      `Received: from b.test ([192.0.2.1]) ${by} with ESMTP id ID for <a@fabrikam.com>`,
    );
    assert.match(of({ extended: false }), / with SMTP id ID /);
    assert.match(of({ authenticated: true }), / with ESMTPA id ID /);
    assert.match(of({ tls }), / with ESMTPS \(version=TLS1_3, cipher=TLS_AES_128_GCM_SHA256\) id ID /);
    assert.match(of({}, { argument: { ...argument, smtpUtf8: true } }), / with UTF8SMTP id ID /);
    // Two recipients hear nothing of each other.
    assert.match(of({}, { recipients: [...recipients, ...recipients] }), / with ESMTP id ID$/);
  }
});
