/** The header firewall of sending, by the rights of the next hop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ace, ace, nextHopSid, sendRights, wellKnownSids } from '../../src/config/index.ts';
import type { DeliveryItem, StoredMessage } from '../../src/queue/index.ts';
import { screenItem } from '../../src/smtp-send/screened-item.ts';

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
      const { item, changes } = await screenItem(itemOf(streamed), forbidden);
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
