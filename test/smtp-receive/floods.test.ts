/** Commands that bring no message nearer, in numbers: RFC 5321 §7.8. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from './receiving.ts';

const tooMany = '421 4.7.0 Too many errors on this connection, closing transmission channel';

for (const command of ['NOOP', 'RSET', 'VRFY someone', 'HELP', 'EHLO again', 'HELO again']) {
  test(`more than a hundred of ${command} count as protocol errors, and MaxProtocolErrors ends the session`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxProtocolErrors: 5 }) });
    const client = await edge.greeted();
    client.send(Buffer.from(`${command}\r\n`.repeat(200)));
    const replies: string[] = [];
    for (let reply = await client.reply(); reply !== ''; reply = await client.reply()) replies.push(reply);
    // The EHLO of the greeting was the first of them.
    assert.equal(replies.length, 105);
    assert.equal(replies.at(-1), tooMany);
    assert.ok(replies.slice(0, -1).every((reply) => /^2/.test(reply)));
    assert.match(edge.of('session-closed')[0]?.reason ?? '', /more than 5 protocol errors/);
    assert.match(edge.of('command-refused')[0]?.reason ?? '', /more than 100 commands without a message/);
  });
}

test('a message makes room for a hundred more', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 90; i++) assert.match(await client.ask('NOOP'), /^250/);
    assert.match(await client.message('Subject: x\r\n\r\nx\r\n'), /^250/);
  }
});
