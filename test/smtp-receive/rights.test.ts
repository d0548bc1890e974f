import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ace, type ReceiveConnector, testAcceptedDomain, wellKnownSids } from '../../src/config/index.ts';
import { anonymousAcl, internetSnapshot, Receiving } from './receiving.ts';

const anonymous = wellKnownSids.anonymous;
const without = (right: string) => anonymousAcl.filter((one) => one.right !== right);
const anyRecipient = ace(anonymous, 'ms-Exch-SMTP-Accept-Any-Recipient');

const rows: readonly [title: string, connector: Partial<ReceiveConnector>, line: string, expected: RegExp][] = [
  ['no SMTP-Submit', { acl: [] }, 'MAIL FROM:<a@example.org>', /^530 5\.7\.57 SMTP; Client was not authenticated/],
  [
    'SMTP-Submit denied',
    { acl: [...anonymousAcl, ace(anonymous, 'ms-Exch-SMTP-Submit', true)] },
    'MAIL FROM:<a@example.org>',
    /^530 5\.7\.57 /,
  ],
  [
    'own domain without Accept-Authoritative-Domain-Sender',
    { acl: without('ms-Exch-SMTP-Accept-Authoritative-Domain-Sender') },
    'MAIL FROM:<a@example.test>',
    /^550 5\.7\.60 /,
  ],
  [
    'foreign domain without Accept-Authoritative-Domain-Sender',
    { acl: without('ms-Exch-SMTP-Accept-Authoritative-Domain-Sender') },
    'MAIL FROM:<a@example.org>',
    /^250 /,
  ],
  [
    'relayed domain of ours needs no right of authoritative ones',
    { acl: without('ms-Exch-SMTP-Accept-Authoritative-Domain-Sender') },
    'MAIL FROM:<a@relay.test>',
    /^250 /,
  ],
  [
    'no Accept-Any-Sender',
    { acl: without('ms-Exch-SMTP-Accept-Any-Sender') },
    'MAIL FROM:<a@example.org>',
    /^550 5\.7\.60 /,
  ],
  ['null sender needs neither', { acl: without('ms-Exch-SMTP-Accept-Any-Sender') }, 'MAIL FROM:<>', /^250 /],
  ['SIZE above the limit', { maxMessageSize: 65_536 }, 'MAIL FROM:<> SIZE=65537', /^552 5\.3\.4 /],
  [
    'Bypass-Message-Size-Limit',
    { maxMessageSize: 65_536, acl: [...anonymousAcl, ace(anonymous, 'ms-Exch-Bypass-Message-Size-Limit')] },
    'MAIL FROM:<> SIZE=65537',
    /^250 /,
  ],
  [
    'RequireTLS',
    { requireTLS: true },
    'MAIL FROM:<a@example.org>',
    /^530 5\.7\.0 Must issue a STARTTLS command first$/,
  ],
  ['RequireTLS and NOOP', { requireTLS: true }, 'NOOP', /^250 /],
  ['no DSN', { deliveryStatusNotificationEnabled: false }, 'MAIL FROM:<> RET=HDRS', /^555 5\.5\.4 /],
  ['no 8BITMIME', { eightBitMimeEnabled: false }, 'MAIL FROM:<> BODY=8BITMIME', /^555 5\.5\.4 /],
  ['no SIZE', { sizeEnabled: 'Disabled' }, 'MAIL FROM:<> SIZE=1', /^555 5\.5\.4 /],
  ['no enhanced codes', { enhancedStatusCodesEnabled: false }, 'MAIL FROM:<>', /^250 Sender OK$/],
  ['STARTTLS without Tls', { authMechanism: [] }, 'STARTTLS', /^502 5\.5\.1 /],
  ['STARTTLS without a certificate', {}, 'STARTTLS', /^454 4\.7\.0 /],
];
for (const [title, connector, line, expected] of rows) {
  test(`MAIL: ${title}`, async () => {
    const acceptedDomains = [
      testAcceptedDomain({ name: 'one', domainName: 'example.test' }),
      testAcceptedDomain({ name: 'two', domainName: 'relay.test', domainType: 'InternalRelay' }),
    ];
    await using edge = await Receiving.start({ snapshot: internetSnapshot(connector, { acceptedDomains }) });
    const client = await edge.greeted();
    const reply = await client.ask(line);
    assert.match(reply, expected);
    if (!reply.startsWith('2')) {
      const [refused] = edge.of('command-refused');
      assert.equal(refused?.reply, reply);
      assert.notEqual(refused?.reason, '');
    }
  });
}

const recipients: readonly [
  title: string,
  connector: Partial<ReceiveConnector>,
  recipient: string,
  expected: RegExp,
][] = [
  ['accepted domain', {}, 'a@example.test', /^250 /],
  ['accepted domain in capitals', {}, 'a@EXAMPLE.Test', /^250 /],
  ['foreign domain', {}, 'a@foreign.invalid', /^550 5\.7\.54 SMTP; Unable to relay/],
  ['foreign domain with Accept-Any-Recipient', { acl: [...anonymousAcl, anyRecipient] }, 'a@foreign.invalid', /^250 /],
  ['reserved top level', { rejectReservedTopLevelRecipientDomains: true }, 'a@example.test', /^501 5\.1\.4 /],
  [
    'reserved second level',
    { rejectReservedSecondLevelRecipientDomains: true, acl: [...anonymousAcl, anyRecipient] },
    'a@sub.example.com',
    /^501 5\.1\.5 /,
  ],
  [
    'single label',
    { rejectSingleLabelRecipientDomains: true, acl: [...anonymousAcl, anyRecipient] },
    'a@localhost',
    /^501 5\.1\.6 /,
  ],
];
for (const [title, connector, recipient, expected] of recipients) {
  test(`RCPT: ${title}`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot(connector) });
    const client = await edge.greeted();
    await client.ask('MAIL FROM:<a@example.org>');
    assert.match(await client.ask(`RCPT TO:<${recipient}>`), expected);
  });
}

test('MaxRecipientsPerMessage: the excess is deferred, a repeated one is no excess, the message goes to the others', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxRecipientsPerMessage: 2 }) });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  assert.match(await client.ask('RCPT TO:<one@example.test>'), /^250 /);
  assert.match(await client.ask('RCPT TO:<two@example.test>'), /^250 /);
  assert.equal(await client.ask('RCPT TO:<three@example.test>'), '452 4.5.3 Too many recipients');
  assert.match(await client.ask('RCPT TO:<two@EXAMPLE.test>'), /^250 /);
  await client.ask('DATA');
  assert.match(await client.ask('Subject: x\r\n\r\n\r\n.'), /^250 2\.6\.0 /);
  const [kept] = edge.queue.kept;
  assert.deepEqual(
    kept?.message.envelope.recipients.map(({ address }) => address),
    ['one@example.test', 'two@example.test'],
  );
});

test('a right is told once in a session, and decisions about a message carry its id', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  await client.message('Subject: x\r\n\r\n');
  await client.message('Subject: x\r\n\r\n', ['one@example.test', 'two@example.test']);
  assert.deepEqual(
    edge.of('right-checked').map(({ right, granted }) => [right, granted]),
    [
      ['ms-Exch-SMTP-Submit', true],
      ['ms-Exch-SMTP-Accept-Any-Sender', true],
    ],
  );
  assert.deepEqual(
    edge.of('recipients-accepted').map(({ message, recipients }) => [message, ...recipients]),
    [
      [1, 'user@example.test'],
      [2, 'one@example.test', 'two@example.test'],
    ],
  );
  assert.deepEqual(
    edge.of('message-queued').map(({ message, recipients: all, source }) => [message, all.length, source]),
    [
      [1, 1, 'SMTP'],
      [2, 2, 'SMTP'],
    ],
  );
});

test('what was accepted is told even when no message came of it', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  await client.ask('RCPT TO:<one@example.test>');
  await client.ask('RSET');
  assert.deepEqual(
    edge.of('recipients-accepted').map(({ message, recipients }) => [message, ...recipients]),
    [[0, 'one@example.test']],
  );
});

test('the reply of a queue under pressure is given at MAIL', async () => {
  await using edge = await Receiving.start();
  edge.queue.accepting = {
    ok: false,
    reply: { code: 452, detail: '3.1', lines: ['Insufficient system resources (disk)'] },
  };
  const client = await edge.greeted();
  assert.equal(await client.ask('MAIL FROM:<>'), '452 4.3.1 Insufficient system resources (disk)');
});
