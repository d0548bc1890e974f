/** What strangers send costs memory by its octets, not by its packets, and not without a bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Receiving } from './receiving.ts';

const begin = ['EHLO x', 'MAIL FROM:<a@example.org>', 'RCPT TO:<user@example.test>', 'DATA'];

test('a message that comes octet by octet reaches the queue in few pieces', async () => {
  await using edge = await Receiving.start();
  const sizes: number[] = [];
  edge.queue.onWrite = (_, chunk) => void sizes.push(chunk.length);
  const client = await edge.connect();
  await client.reply();
  for (const line of begin) await client.ask(line);
  const content = `Subject: ${'x'.repeat(500)}\r\n\r\n${'body\r\n'.repeat(1000)}`;
  for (const octet of content) {
    client.socket.write(octet);
    await new Promise(setImmediate);
  }
  assert.match(await client.ask(Buffer.from('.\r\n')), /^250 /);
  assert.ok(edge.queue.kept[0]?.content.toString().endsWith(content));
  assert.ok(sizes.length < 10, sizes.join());
});

test('headers that all sessions hold together are bounded: 452 beyond, and room again behind them', async () => {
  await using edge = await Receiving.start({ maxHeldOctets: 15_000 });
  const slow = await edge.connect();
  await slow.reply();
  for (const line of begin) await slow.ask(line);
  slow.send(Buffer.from(`Subject: ${'x'.repeat(6000)}\r\n`));
  const other = await edge.greeted();
  const attempt = async (): Promise<string> => {
    for (const line of begin.slice(1)) await other.ask(line);
    other.send(Buffer.from(`Subject: ${'y'.repeat(6000)}\r\n`));
    // Not in the packet of the header, so that it has to be held.
    await (await edge.greeted()).ask('QUIT');
    return other.ask(Buffer.from('\r\nbody\r\n.\r\n'));
  };
  assert.equal(await attempt(), '452 4.3.1 Insufficient system resources');
  assert.match(edge.of('command-refused')[0]?.reason ?? '', /the headers of all sessions/);
  assert.match(await slow.ask(Buffer.from('\r\n.\r\n')), /^250 /);
  assert.match(await attempt(), /^250 /);
  slow.socket.destroy();
});

test('what a session held is given back when it ends in the header', async () => {
  await using edge = await Receiving.start({ maxHeldOctets: 15_000 });
  for (let i = 0; i < 5; i++) {
    const client = await edge.greeted();
    for (const line of begin.slice(1)) await client.ask(line);
    client.send(Buffer.from(`Subject: ${'x'.repeat(6000)}\r\n`));
    client.socket.end();
    await client.end();
    assert.ok(edge.of('command-refused').every(({ reason }) => !reason.includes('the headers of all')));
  }
});
