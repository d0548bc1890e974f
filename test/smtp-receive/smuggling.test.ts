import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from './receiving.ts';

/** Ends of data that some other server might see. None of them is CRLF.CRLF (RFC 5321 §4.1.1.4). */
const falseEnds = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\n.\r',
  '\r\n.\r\r\n',
  '\r\n.\0\r\n',
  '\r\n\0.\r\n',
  '\r\n . \r\n',
  '\r\n.\x85',
  '\r\n..\r\n',
];
const smuggled =
  'MAIL FROM:<smuggled@example.test>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nboo';

for (const bareLinefeedRejectionEnabled of [true, false]) {
  for (const end of falseEnds) {
    test(`${JSON.stringify(end)} ends no message (rejection ${bareLinefeedRejectionEnabled})`, async () => {
      await using edge = await Receiving.start({ snapshot: internetSnapshot({ bareLinefeedRejectionEnabled }) });
      const client = await edge.greeted();
      const reply = await client.message(Buffer.from(`Subject: bait\r\n\r\nlure${end}${smuggled}\r\n`, 'latin1'));
      const bare = /(?<!\r)\n|\r(?!\n)/.test(end);
      assert.match(reply, bare && bareLinefeedRejectionEnabled ? /^550 5\.6\.11 / : /^250 2\.6\.0 /);
      assert.match(await client.ask('NOOP'), /^250 /);
      assert.ok(edge.queue.kept.length <= 1);
      for (const { message } of edge.queue.kept) assert.equal(message.envelope.from, 'sender@example.org');
    });
  }
}

test('commands that a client sends behind the end of data without waiting are commands (RFC 2920)', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  const one = 'MAIL FROM:<a@example.org>\r\nRCPT TO:<user@example.test>\r\nDATA\r\n';
  client.send(Buffer.from(`${one}Subject: 1\r\n\r\n.\r\n${one}Subject: 2\r\n\r\n.\r\nQUIT\r\n`));
  const replies = (await client.end()).match(/^\d{3}/gm);
  assert.deepEqual(replies, ['250', '250', '354', '250', '250', '250', '354', '250', '221']);
  assert.equal(edge.queue.kept.length, 2);
});

test('content behind a refused DATA is not taken for a message', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  client.send(
    Buffer.from('MAIL FROM:<a@example.org>\r\nRCPT TO:<a@foreign.invalid>\r\nDATA\r\nSubject: 1\r\n\r\nQUIT\r\n'),
  );
  const replies = (await client.end()).match(/^\d{3} \d\.\d\.\d+/gm);
  assert.deepEqual(replies, ['250 2.1.0', '550 5.7.54', '554 5.5.1', '500 5.3.3', '500 5.3.3', '221 2.0.0']);
  assert.equal(edge.queue.begun, 0);
});
