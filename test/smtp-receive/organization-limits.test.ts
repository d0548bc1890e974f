/** Limits of the organization: which of several holds, and what a client is answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import { ace, defaultsOf, type TransportConfig, transportConfig, wellKnownSids } from '../../src/config/index.ts';
import { sizeLimit } from '../../src/smtp-receive/session/organization-limits.ts';
import { anonymousAcl, internetSnapshot, Receiving } from './receiving.ts';

/** Connector, MaxReceiveSize, MaxSendSize, logged on: what holds. */
const rows: readonly [connector: number, receive: number, send: number, authenticated: boolean, octets: number][] = [
  [100, 50, 80, false, 50],
  [100, 50, 80, true, 80],
  [40, 50, 80, false, 40],
  [100, Infinity, 80, false, 100],
  // ms-Exch-Bypass-Message-Size-Limit
  [Infinity, 50, 80, false, Infinity],
];
for (const [maxMessageSize, receive, send, authenticated, octets] of rows) {
  test(`connector ${maxMessageSize}, receive ${receive}, send ${send}, logged on ${authenticated}: ${octets}`, () => {
    const limits = { receive, send, recipients: Infinity };
    assert.equal(sizeLimit(limits, { maxMessageSize }, authenticated).octets, octets);
  });
}

const organization = (overrides: Partial<TransportConfig>): TransportConfig => ({
  ...defaultsOf(transportConfig),
  maxReceiveSize: Infinity,
  maxSendSize: Infinity,
  ...overrides,
});

test('MaxReceiveSize refuses at MAIL, behind DATA and at BDAT', async () => {
  const snapshot = internetSnapshot({}, { organization: organization({ maxReceiveSize: 2000 }) });
  await using edge = await Receiving.start({ snapshot });
  const client = await edge.greeted();
  const tooLarge = '552 5.3.4 Message size exceeds fixed maximum message size';
  assert.equal(await client.ask('MAIL FROM:<a@example.org> SIZE=2001'), tooLarge);
  assert.equal(await client.message(`Subject: x\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(30)), tooLarge);
  await client.ask('MAIL FROM:<a@example.org>');
  await client.ask('RCPT TO:<user@example.test>');
  client.send('BDAT 2001 LAST');
  assert.equal(await client.ask(Buffer.alloc(2001, 'x')), tooLarge);
  assert.match(edge.of('command-refused').at(-1)?.reason ?? '', /MaxReceiveSize of the organization 2000/);
  assert.match(await client.message('Subject: x\r\n\r\nx\r\n'), /^250/);
});

test('a session with Bypass-Message-Size-Limit is held to none of them', async () => {
  const acl = [...anonymousAcl, ace(wellKnownSids.anonymous, 'ms-Exch-Bypass-Message-Size-Limit')];
  const snapshot = internetSnapshot({ acl }, { organization: organization({ maxReceiveSize: 2000 }) });
  await using edge = await Receiving.start({ snapshot });
  const client = await edge.greeted();
  assert.match(await client.ask('MAIL FROM:<a@example.org> SIZE=2001'), /^250/);
});

test('ms-Exch-SMTP-Accept-Authentication-Flag: messages are of the inside, and MaxSendSize holds', async () => {
  for (const flagged of [false, true]) {
    const acl = [
      ...anonymousAcl,
      ...(flagged ? [ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Accept-Authentication-Flag')] : []),
    ];
    const limits = organization({ maxReceiveSize: 2000, maxSendSize: 3000 });
    await using edge = await Receiving.start({ snapshot: internetSnapshot({ acl }, { organization: limits }) });
    const client = await edge.greeted();
    const answer = await client.ask('MAIL FROM:<a@example.org> SIZE=2500');
    assert.match(answer, flagged ? /^250/ : /^552/);
  }
});

test('MaxRecipientEnvelopeLimit refuses the message', async () => {
  const snapshot = internetSnapshot({}, { organization: organization({ maxRecipientEnvelopeLimit: 2 }) });
  await using edge = await Receiving.start({ snapshot });
  const client = await edge.greeted();
  const to = (count: number): string[] => Array.from({ length: count }, (_, i) => `u${i}@example.test`);
  assert.match(await client.message('Subject: x\r\n\r\nx\r\n', to(2)), /^250/);
  assert.equal(
    await client.message('Subject: x\r\n\r\nx\r\n', to(3)),
    '550 5.5.3 RESOLVER.ADR.RecipLimit; too many recipients',
  );
});

test('ExternalIPAddress stands in Received instead of the address of this server', async () => {
  const snapshot = internetSnapshot();
  await using edge = await Receiving.start({
    snapshot: { ...snapshot, server: { ...snapshot.server, externalIPAddress: '192.0.2.77' } },
  });
  const client = await edge.greeted();
  await client.message('Subject: x\r\n\r\nx\r\n');
  assert.match(edge.queue.kept[0]?.content.toString() ?? '', /by mail\.example\.net \(\[192\.0\.2\.77\]\)/);
});

test('SIZE tells the limit that holds, which is the narrower one', async () => {
  const sizes: readonly (readonly [connector: number, receive: number, told: RegExp])[] = [
    [3000, 2000, /\bSIZE 2000\b/],
    [1000, 2000, /\bSIZE 1000\b/],
    [3000, Infinity, /\bSIZE 3000\b/],
  ];
  for (const [maxMessageSize, maxReceiveSize, told] of sizes) {
    const snapshot = internetSnapshot({ maxMessageSize }, { organization: organization({ maxReceiveSize }) });
    await using edge = await Receiving.start({ snapshot });
    assert.match(await (await edge.greeted()).ask('EHLO client.example.org'), told);
  }
});

test('InternalSMTPServers: the tracking log tells where a message was before own servers had it', async () => {
  const own = (...ranges: readonly string[]) => organization({ internalSMTPServers: ranges.map(parseIpRange) });
  const trace = (...addresses: readonly string[]): string =>
    addresses.map((ip) => `Received: from a.example (b.example [${ip}])\r\n\tby c.example; date\r\n`).join('');
  const rows: readonly (readonly [ranges: readonly string[], fields: string, client: string | undefined])[] = [
    [[], trace('10.0.0.1'), undefined],
    [['10.0.0.0/8'], trace('10.0.0.1'), undefined],
    [['127.0.0.0/8'], trace('192.0.2.7', '198.51.100.1'), '192.0.2.7'],
    [['127.0.0.0/8', '10.0.0.0/8'], trace('10.0.0.1', 'IPv6:2001:db8::7'), '2001:db8::7'],
    [['127.0.0.0/8', '10.0.0.0/8'], trace('10.0.0.1', '999.1.1.1'), '10.0.0.1'],
    [['127.0.0.0/8'], 'Received: by c.example; date [192.0.2.1]\r\n', '127.0.0.1'],
  ];
  for (const [ranges, fields, client] of rows) {
    const acl = [...anonymousAcl, ace(wellKnownSids.anonymous, 'ms-Exch-Accept-Headers-Routing')];
    const snapshot = internetSnapshot({ acl }, { organization: own(...ranges) });
    await using edge = await Receiving.start({ snapshot });
    assert.match(await (await edge.greeted()).message(`${fields}Subject: x\r\n\r\nx\r\n`), /^250/);
    assert.equal(edge.of('message-queued')[0]?.originalClient, client, fields);
  }
});
