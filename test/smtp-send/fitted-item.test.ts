import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildReport } from '../../src/mail/index.ts';
import { FakeWork, type MessageWish, testMessage } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench } from './sender-bench.ts';

const without8Bit = ['PIPELINING', 'SIZE 1000000'];
const latin = Buffer.from(
  [
    ...['DKIM-Signature: v=1; d=example.org', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8'],
    ...['Content-Transfer-Encoding: 8bit', '', '.Gr\u00fc\u00dfe aus der Ferne', '.', ''],
  ].join('\r\n'),
);

for (const [way, chunk] of [
  ['from memory', undefined],
  ['as a stream', 11],
] as const) {
  test(`8-bit content for a hop without 8BITMIME is converted, ${way}`, async () => {
    await using peer = await ScriptedPeer.start({ extensions: without8Bit });
    const { sender, of } = senderBench({ smartHosts: [peer.smartHost] });
    const work = new FakeWork([{ content: latin }], chunk === undefined ? {} : { chunk });
    await sender.deliver(work);
    assert.match(work.story[0]?.[0] ?? '', /^relayed 250/);
    const sent = peer.messages[0]?.toString() ?? '';
    assert.match(
      sent,
      /Content-Transfer-Encoding: quoted-printable\r\n\r\n\.\.Gr=C3=BC=C3=9Fe aus der Ferne\r\n\.\.\r\n$/,
    );
    const size = Number(/SIZE=(\d+)/.exec(peer.commands.find((line) => line.startsWith('MAIL')) ?? '')?.[1]);
    assert.equal(size, sent.replaceAll('\r\n..', '\r\n.').length, 'SIZE is that of what is sent');
    assert.ok(!peer.commands.some((line) => line.includes('BODY=')));
    assert.deepEqual(
      of('content-converted').map(({ changes, broken, message }) => [changes, broken, message]),
      [[['7-bit'], ['DKIM-Signature'], 1]],
    );
  });
}

test('a hop with 8BITMIME gets the content as it is', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender, of } = senderBench({ smartHosts: [peer.smartHost] });
  await sender.deliver(new FakeWork([{ content: latin }]));
  assert.equal(peer.messages[0]?.toString(), latin.toString().replaceAll('\r\n.', '\r\n..'));
  assert.deepEqual(of('content-converted'), []);
});

/** A report on `latin` as the queue would hand it over. */
function report(extra = ''): MessageWish {
  const original = Buffer.concat([latin, Buffer.from(extra)]);
  const { message } = testMessage({ from: 'a@example.org', recipients: ['b@partner.example'], content: original });
  const { content, envelope, facts } = buildReport({
    language: 'en',
    html: false,
    kind: 'failed',
    message,
    recipients: [{ index: 0, reply: '550 5.7.1 No', remote: 'mx.partner.example [192.0.2.7]:25' }],
    reportingMta: 'edge.example.org',
    postmaster: 'postmaster@example.org',
    header: original,
    content: original,
    now: 0,
    id: '8b0c6d6e-6f0e-4a39-9c53-0d6f0a4a4b11',
  });
  return { from: '', recipients: envelope.recipients, envelope, content, facts, origin: { connector: 'DSN' } };
}

// An 8-bit original refused by a partner, the report going back through a hub without 8BITMIME: it was lost unheard.
const hubs: readonly (readonly [
  name: string,
  extensions: readonly string[],
  changes: readonly string[],
  has: RegExp,
])[] = [
  ['8BITMIME', ['8BITMIME', 'SIZE 1000000'], [], /8bit[^]*Gr\u00fc\u00dfe/],
  ['no 8BITMIME', ['SIZE 1000000'], ['7-bit'], /message\/rfc822\r\nContent-Transfer-Encoding: 7bit[^]*Gr=C3=BC=C3=9Fe/],
  [
    'no 8BITMIME and a small SIZE',
    ['SIZE 3000'],
    ['7-bit', 'report: headers only'],
    /text\/rfc822-headers[^]*DKIM-Signature/,
  ],
  ['hardly any SIZE', ['8BITMIME', 'SIZE 1800'], ['report: without the original'], /Status: 5\.7\.1\r\n[^]*--\r\n$/],
];
for (const [name, extensions, changes, has] of hubs) {
  test(`a report fits its way back through a hub with ${name}`, async () => {
    await using peer = await ScriptedPeer.start({ extensions });
    const { sender, of } = senderBench({ smartHosts: [peer.smartHost] });
    const work = new FakeWork([report('0123456789abcdef\r\n'.repeat(200))]);
    await sender.deliver(work);
    assert.match(work.story[0]?.[0] ?? '', /^relayed 250/);
    assert.match(peer.messages[0]?.toString() ?? '', has);
    assert.deepEqual(
      of('content-converted').flatMap((event) => event.changes),
      changes,
    );
  });
}

test('a report that fits in no form fails with the reason', async () => {
  await using peer = await ScriptedPeer.start({ extensions: ['8BITMIME', 'SIZE 100'] });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([report()]);
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^failed 552 5\.3\.4 /);
});

test('a fault of this program is the queue\u2019s to hear, and never in a reply', async () => {
  await using peer = await ScriptedPeer.start({ extensions: without8Bit });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ content: latin }], { chunk: 11, breakAt: 22 });
  await assert.rejects(sender.deliver(work), /disk fault/);
  assert.deepEqual(work.story, [['untouched']]);
  assert.deepEqual(peer.messages, []);
});
