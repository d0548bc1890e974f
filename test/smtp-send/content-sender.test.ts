import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DotUnstuffer } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench } from './sender-bench.ts';

const header = 'Subject: x\r\n\r\n';
const rows: readonly (readonly [name: string, content: string, wire: string])[] = [
  ['plain', `${header}a\r\nb\r\n`, `${header}a\r\nb\r\n`],
  ['dots at line starts', `${header}.\r\n..\r\n.a\r\n`, `${header}..\r\n...\r\n..a\r\n`],
  ['a dot as the very first octet', '.x: y\r\n\r\n', '..x: y\r\n\r\n'],
  ['no line end at the end', `${header}abc`, `${header}abc\r\n`],
  ['a dot as the last octet', `${header}abc\r\n.`, `${header}abc\r\n..\r\n`],
  ['empty', '', ''],
  ['bare LF and CR become CRLF', `${header}a\nb\rc\r\n`, `${header}a\r\nb\r\nc\r\n`],
  [
    'an end of data hidden behind a bare LF stays content',
    `${header}a\n.\nMAIL FROM:<x@y>\r\n`,
    `${header}a\r\n..\r\nMAIL FROM:<x@y>\r\n`,
  ],
];

for (const [name, content, wire] of rows) {
  for (const chunk of [undefined, 1, 7]) {
    test(`content: ${name}, ${chunk === undefined ? 'whole' : `in chunks of ${chunk}`}`, async () => {
      await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING'] });
      const { sender } = senderBench({ smartHosts: [peer.smartHost] });
      const work = new FakeWork([{ content: Buffer.from(content) }, {}], chunk === undefined ? {} : { chunk });
      await sender.deliver(work);
      assert.equal(peer.messages[0]?.toString(), wire);
      assert.equal(peer.messages.length, 2, 'the next message follows on the same connection');
    });
  }
}

test('content of any octets arrives as it was, but for line ends', async () => {
  await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING', '8BITMIME'] });
  const { sender } = senderBench({ smartHosts: [peer.smartHost], smtpMaxMessagesPerConnection: 0 });
  const piece = fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', 'a', '\xff', 'hello');
  const contents = fc
    .sample(fc.array(piece, { maxLength: 30 }), 150)
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
  const work = new FakeWork(
    contents.map((content) => ({ content })),
    { chunk: 3 },
  );
  await sender.deliver(work);
  assert.equal(peer.messages.length, contents.length);
  contents.forEach((content, i) => {
    const { content: got } = new DotUnstuffer().push(
      Buffer.concat([peer.messages[i] ?? Buffer.alloc(0), Buffer.from('.\r\n')]),
    );
    const expected = content.toString('latin1').replaceAll(/\r\n|\r|\n/g, '\r\n');
    const ended = expected === '' || expected.endsWith('\r\n') ? expected : `${expected}\r\n`;
    assert.equal(got.toString('latin1'), ended);
  });
});
