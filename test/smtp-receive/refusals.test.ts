/** What many refusals cost: a stranger can neither wash away the decisions nor guess addresses at full speed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock, internetSnapshot, Receiving } from './receiving.ts';

const guess = (i: number): string => `RCPT TO:<u${i}@foreign.invalid>`;

test('refusals are told in full for the first 50 of a session, then counted', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxProtocolErrors: 1000 }) });
  const client = await edge.greeted();
  client.send(Buffer.from('DATA\r\n'.repeat(80)));
  for (let i = 0; i < 80; i++) assert.match(await client.reply(), /^503 /);
  await client.ask('QUIT');
  await client.end();
  assert.equal(edge.of('command-refused').length, 50);
  assert.equal(edge.of('session-closed')[0]?.reason, 'QUIT; 30 more refusals were only counted');
});

test('text of a client is cut at 256 characters in events, and shows no control', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  await client.ask(Buffer.from(`X${'\u2028=\u202e'.repeat(500)}\r\n`));
  const [{ command = '' } = {}] = edge.of('command-refused');
  assert.ok(command.length <= 256);
  assert.doesNotMatch(command, /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
});

test('behind ten refused recipients each next one waits TarpitInterval, and behind a hundred the session ends', async () => {
  const clock = new HandClock();
  await using edge = await Receiving.start({ clock, snapshot: internetSnapshot({ tarpitInterval: 5 }) });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  for (let i = 0; i < 10; i++) assert.match(await client.ask(guess(i)), /^550 /);
  client.send(guess(11));
  client.send('NOOP');
  for (let i = 11; i <= 100; i++) {
    // A whole other session fits in before the answer, which only the clock brings.
    await (await edge.greeted()).ask('QUIT');
    assert.equal(client.unread(), '');
    clock.advance(5000);
    assert.match(await client.reply(), /^550 /);
    if (i === 11) assert.match(await client.reply(), /^250 /);
    if (i < 100) client.send(guess(i));
  }
  assert.match(await client.ask(guess(101)), /^421 4\.7\.0 /);
  assert.equal(await client.end(), '');
});

test('TarpitInterval 0 delays nothing; recipients beyond MaxRecipientsPerMessage do not count', async () => {
  const snapshot = internetSnapshot({ tarpitInterval: 0, maxRecipientsPerMessage: 1 });
  await using edge = await Receiving.start({ clock: new HandClock(), snapshot });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  for (let i = 0; i < 30; i++) assert.match(await client.ask(guess(i)), /^550 /);
  await client.ask('RCPT TO:<user@example.test>');
  for (let i = 0; i < 200; i++) assert.match(await client.ask(`RCPT TO:<u${i}@example.test>`), /^452 /);
});

test('a session that ends in the tarpit leaves nobody waiting', async () => {
  await using edge = await Receiving.start({ clock: new HandClock() });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  for (let i = 0; i < 10; i++) await client.ask(guess(i));
  client.send(guess(11));
  await (await edge.greeted()).ask('QUIT');
  await edge.service.drain(AbortSignal.timeout(10));
  assert.match(await client.end(), /^421 4\.3\.2 /);
});
