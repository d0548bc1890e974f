import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  finishReceived,
  formatDate,
  HeaderBlock,
  insertFields,
  type ReceivedMessage,
  type ReceivedSession,
  startReceived,
} from '../../src/mail/index.ts';
import fc from '../lib/properties.ts';

type ReceivedFacts = ReceivedSession & ReceivedMessage;

const buildReceived = (given: ReceivedFacts): string => finishReceived(startReceived(given), given);

const facts: ReceivedFacts = {
  helo: 'mail.contoso.com',
  peerAddress: '192.0.2.1',
  serverFqdn: 'edge.fabrikam.com',
  serverAddress: '198.51.100.7',
  extended: true,
  authenticated: false,
  smtpUtf8: false,
  id: '1D2C-42',
  at: Date.UTC(2025, 6, 1, 10, 52, 37),
};

test('an ordinary session', () => {
  assert.equal(
    buildReceived(facts),
    'Received: from mail.contoso.com ([192.0.2.1])\r\n by edge.fabrikam.com ([198.51.100.7]) with ESMTP id 1D2C-42;\r\n Tue, 01 Jul 2025 10:52:37 +0000\r\n',
  );
});

test('TLS, reverse name, IPv6 and one recipient', () => {
  const field = buildReceived({
    ...facts,
    peerName: 'mx.contoso.com',
    peerAddress: '2001:db8::1',
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    recipient: 'a@fabrikam.com',
  });
  assert.equal(
    field,
    [
      'Received: from mail.contoso.com (mx.contoso.com [IPv6:2001:db8::1])',
      ' by edge.fabrikam.com ([198.51.100.7]) with ESMTPS',
      ' (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 1D2C-42',
      ' for <a@fabrikam.com>; Tue, 01 Jul 2025 10:52:37 +0000\r\n',
    ].join('\r\n'),
  );
});

const tls = { protocol: 'TLS1_2', cipher: 'X' };
const keywords: readonly [string, Partial<ReceivedFacts>][] = [
  ['SMTP', { extended: false }],
  ['ESMTP', {}],
  ['ESMTPA', { authenticated: true }],
  ['ESMTPS', { tls }],
  ['ESMTPSA', { tls, authenticated: true }],
  ['UTF8SMTP', { smtpUtf8: true }],
  ['UTF8SMTPA', { smtpUtf8: true, authenticated: true }],
  ['UTF8SMTPS', { smtpUtf8: true, tls }],
  ['UTF8SMTPSA', { smtpUtf8: true, tls, authenticated: true }],
];
for (const [keyword, changed] of keywords) {
  test(`with ${keyword}`, () =>
    assert.match(buildReceived({ ...facts, ...changed }), new RegExp(`\\swith ${keyword}\\s`)));
}

for (const [helo, shown] of [
  ['[192.0.2.9]', '[192.0.2.9]'],
  ['my_pc', 'my_pc'],
  ['', 'unknown'],
  ['x\r\nBcc: evil@example.com', 'x??Bcc??evil?example.com'],
  ['a) by edge.fabrikam.com (', 'a??by?edge.fabrikam.com??'],
  ['münchen.de', 'xn--mnchen-3ya.de'],
] as const) {
  test(`HELO ${JSON.stringify(helo)}`, () =>
    assert.ok(buildReceived({ ...facts, helo }).startsWith(`Received: from ${shown} (`)));
}

test('whatever the peer says, it is one field of short lines, and counts as one hop of ours', () => {
  const said = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(said, said, said, (helo, peerName, cipher) => {
      const field = buildReceived({ ...facts, helo, peerName, tls: { protocol: cipher, cipher } });
      const found = new HeaderBlock(insertFields([field], Buffer.from('\r\n')));
      assert.equal(found.fields.length, 1);
      assert.match(field, /^[\r\n -~]*$/);
      for (const line of field.split('\r\n')) assert.ok(line.length <= 998);
      assert.equal(found.facts('edge.fabrikam.com').localHops, 1);
    }),
  );
});

test('dates are UTC, with two digits for the day', () => {
  assert.equal(formatDate(0), 'Thu, 01 Jan 1970 00:00:00 +0000');
});
