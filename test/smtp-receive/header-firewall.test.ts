import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ace, type Right, wellKnownSids } from '../../src/config/index.ts';
import { anonymousAcl, internetSnapshot, Receiving } from './receiving.ts';

const routing = [
  'Received: from a by b; Thu, 26 Nov 2026 00:00:00 +0000',
  'Resent-From: <a@example.org>',
  'RESENT-To:\r\n <b@example.org>',
];
const organization = ['X-MS-Exchange-Organization-SCL: -1', 'x-ms-exchange-organization-AuthAs: Internal'];
const forest = ['X-MS-Exchange-Forest-RulesExecuted: x'];
const others = ['Subject: hi', 'X-MS-Exchange-OrganizationName: stays', 'X-Received: stays', 'Resent: stays'];
const content = `${[...forest, ...routing, ...others, ...organization].join('\r\n')}\r\n\r\nReceived: body\r\n`;

const rows: readonly (readonly [name: string, rights: readonly Right[], kept: readonly string[]])[] = [
  ['no right', [], []],
  ['Routing', ['ms-Exch-Accept-Headers-Routing'], routing],
  ['Organization', ['ms-Exch-Accept-Headers-Organization'], organization],
  ['Forest', ['ms-Exch-Accept-Headers-Forest'], forest],
  [
    'all',
    ['ms-Exch-Accept-Headers-Routing', 'ms-Exch-Accept-Headers-Organization', 'ms-Exch-Accept-Headers-Forest'],
    [...forest, ...routing, ...organization],
  ],
];
for (const [name, rights, kept] of rows) {
  for (const cut of [content.length, 7]) {
    test(`header firewall: ${name}, in pieces of ${cut}`, async () => {
      const acl = [
        ...anonymousAcl.filter(({ right }) => right !== 'ms-Exch-Accept-Headers-Routing'),
        ...rights.map((right) => ace(wellKnownSids.anonymous, right)),
      ];
      await using edge = await Receiving.start({ snapshot: internetSnapshot({ acl }) });
      const client = await edge.greeted();
      await client.ask('MAIL FROM:<a@example.org>');
      await client.ask('RCPT TO:<user@example.test>');
      await client.ask('DATA');
      for (let at = 0; at < content.length; at += cut) {
        client.send(Buffer.from(content.slice(at, at + cut)));
        if (cut < content.length) await new Promise(setImmediate);
      }
      assert.match(await client.ask(Buffer.from('.\r\n')), /^250/);
      const [message] = edge.queue.kept;
      const text = message?.content.toString() ?? '';
      const own = /^Received: [^]*?\r\n(?![ \t])/.exec(text)?.[0] ?? '';
      const lines = [...forest, ...routing, ...others, ...organization];
      const expected = lines.filter((line) => others.includes(line) || kept.includes(line));
      assert.equal(text.slice(own.length), `${expected.join('\r\n')}\r\n\r\nReceived: body\r\n`);
      assert.equal(message?.message.facts.size, text.length);
      assert.equal(message.message.facts.headerSize, text.indexOf('\r\n\r\n') + 4);
      const told = edge.of('agent-changed').flatMap(({ changes }) => changes);
      assert.equal(told.length, lines.length - expected.length);
    });
  }
}

test('hops are counted before Received is taken away', async () => {
  const acl = anonymousAcl.filter(({ right }) => right !== 'ms-Exch-Accept-Headers-Routing');
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ acl, maxHopCount: 2 }) });
  const client = await edge.greeted();
  assert.match(await client.message(`${'Received: x\r\n'.repeat(3)}\r\n`), /^554 5\.4\.6/);
});
