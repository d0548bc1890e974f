/** The header firewall of sending, by the rights of the next hop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ace, ace, nextHopSid, sendRights, wellKnownSids } from '../../src/config/index.ts';
import type { DeliveryItem, StoredMessage } from '../../src/queue/index.ts';
import { screenItem } from '../../src/smtp-send/content/screened-item.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { FakeWork } from './fake-work.ts';
import { senderBench } from './sender-bench.ts';

const header = Buffer.from(
  'Received: from a\r\n\tby b\r\nX-MS-Exchange-Organization-SCL: 5\r\nSubject: x\r\nx-ms-exchange-forest-y: z\r\n folded\r\nResent-From: a@b\r\n\r\n',
);
const body = Buffer.from('X-MS-Exchange-Organization-SCL: not a field\r\n.dot\r\n');
const content = Buffer.concat([header, body]);

function itemOf(streamed: boolean): DeliveryItem {
  const facts = {
    size: content.length,
    headerSize: header.length,
    eightBit: true,
    utf8Header: false,
    leadingDots: false,
  };
  return {
    message: { facts, envelope: { body: '8BITMIME', smtpUtf8: false } } as unknown as StoredMessage,
    recipients: [],
    content: () => (streamed ? undefined : content),
    async *stream() {
      for (let at = 0; at < content.length; at += 7) yield content.subarray(at, at + 7);
    },
    settle() {},
    release() {},
  };
}

const all = ['received', 'resent-', 'x-ms-exchange-organization-', 'x-ms-exchange-forest-'];
const rows: readonly [title: string, forbidden: readonly string[], left: string][] = [
  ['nothing is forbidden', [], header.toString()],
  [
    'fields of the organization and the forest',
    all.slice(2),
    'Received: from a\r\n\tby b\r\nSubject: x\r\nResent-From: a@b\r\n\r\n',
  ],
  ['everything', all, 'Subject: x\r\n\r\n'],
];
for (const streamed of [false, true]) {
  for (const [title, forbidden, left] of rows) {
    test(`${title}${streamed ? ', streamed' : ''}`, async () => {
      const { item, changes } = await screenItem(itemOf(streamed), {
        forbiddenFields: forbidden,
        crossesPremises: false,
      });
      const got = item.content() ?? Buffer.concat(await Array.fromAsync(item.stream()));
      assert.equal(got.toString(), left + body.toString());
      const { facts, envelope } = item.message;
      assert.deepEqual(
        [facts.size, facts.headerSize, facts.eightBit, envelope.body],
        [got.length, left.length, true, '8BITMIME'],
      );
      assert.equal(changes.length, forbidden.length === 0 ? 0 : 1);
    });
  }
}

test('a next hop has the rights of what it is; entries of the connector come before inherited ones', () => {
  const plain = { smartHostAuthMechanism: 'None', domainSecureEnabled: false };
  const organization = 'ms-Exch-Send-Headers-Organization';
  const routing = 'ms-Exch-Send-Headers-Routing';
  const { anonymous, hub, partner, externallySecured } = wellKnownSids;
  const cases: readonly [connector: typeof plain, acl: readonly Ace[], sid: string, held: boolean, routes: boolean][] =
    [
      [plain, [], anonymous, false, true],
      [{ ...plain, domainSecureEnabled: true }, [], partner, false, true],
      [{ ...plain, smartHostAuthMechanism: 'ExchangeServer' }, [], hub, true, true],
      [{ ...plain, smartHostAuthMechanism: 'ExternalAuthoritative' }, [], externallySecured, false, true],
      [plain, [ace(anonymous, organization)], anonymous, true, true],
      [plain, [ace(anonymous, routing, true)], anonymous, false, false],
    ];
  for (const [connector, acl, sid, held, routes] of cases) {
    assert.equal(nextHopSid(connector), sid);
    const granted = sendRights(acl, sid);
    assert.deepEqual([granted.has(organization), granted.has(routing)], [held, routes]);
  }
});

for (const streamed of [false, true]) {
  test(`CloudServicesMailEnabled: fields of the organization cross under another name, ${streamed ? 'as a stream' : 'from memory'}`, async () => {
    const { item, changes } = await screenItem(itemOf(streamed), {
      forbiddenFields: all.slice(2),
      crossesPremises: true,
    });
    const chunks: Buffer[] = [];
    for await (const chunk of item.stream()) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const expected =
      'Received: from a\r\n\tby b\r\nX-MS-Exchange-CrossPremises-SCL: 5\r\nSubject: x\r\nResent-From: a@b\r\n\r\n';
    assert.equal(text, expected + body.toString());
    assert.equal(item.message.facts.size, text.length);
    assert.equal(changes.length, 1);
  });
}

for (const [cloudServicesMailEnabled, aces, arrives] of [
  [false, [], ''],
  [true, [], 'X-MS-Exchange-CrossPremises-SCL: 5'],
  [false, [ace(wellKnownSids.anonymous, 'ms-Exch-Send-Headers-Organization')], 'X-MS-Exchange-Organization-SCL: 5'],
] as const) {
  test(`on the wire, CloudServicesMailEnabled ${cloudServicesMailEnabled}, ${aces.length} entries: '${arrives}'`, async () => {
    await using sink = await ScriptedSink.listen();
    const { sender } = senderBench({
      smartHosts: [`[127.0.0.1]:${sink.port}`],
      cloudServicesMailEnabled,
      acl: aces,
      ignoreSTARTTLS: true,
    });
    const sent = Buffer.from(
      'X-MS-Exchange-Organization-SCL: 5\r\nX-MS-Exchange-Forest-A: b\r\nSubject: x\r\n\r\nx\r\n',
    );
    assert.deepEqual(await sender.deliver(new FakeWork([{ content: sent }])), { kind: 'done' });
    const [header = ''] = sink.taken[0]?.content.split('\r\n\r\n') ?? [];
    assert.deepEqual(header.split('\r\n'), [...(arrives === '' ? [] : [arrives]), 'Subject: x']);
  });
}
