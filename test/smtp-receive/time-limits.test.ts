import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock, internetSnapshot, Receiving } from './receiving.ts';

const limits = { connectionTimeout: 300, connectionInactivityTimeout: 60 } as const;

async function withClock(): Promise<{ edge: Receiving; clock: HandClock }> {
  const clock = new HandClock();
  return { clock, edge: await Receiving.start({ clock, snapshot: internetSnapshot(limits) }) };
}

test('ConnectionInactivityTimeout counts from the last word', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.greeted();
  clock.advance(58_000);
  assert.match(await client.ask('NOOP'), /^250 /);
  clock.advance(58_000);
  assert.match(await client.ask('NOOP'), /^250 /);
  clock.advance(62_000);
  assert.equal(await client.reply(), '421 4.4.2 Timeout waiting for client input');
  assert.equal(await client.end(), '');
  assert.equal(edge.of('session-closed')[0]?.reason, 'ConnectionInactivityTimeout is over');
});

test('setting the clock ends no session, and keeps none alive', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.greeted();
  clock.aheadMs = 24 * 3_600_000;
  clock.advance(4_000);
  assert.match(await client.ask('NOOP'), /^250 /);
  clock.advance(4_000);
  clock.aheadMs = -24 * 3_600_000;
  clock.advance(62_000);
  assert.equal(await client.reply(), '421 4.4.2 Timeout waiting for client input');
});

test('ConnectionTimeout ends a busy session', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.greeted();
  for (let i = 0; i < 5; i++) {
    clock.advance(58_000);
    assert.match(await client.ask('NOOP'), /^250 /);
  }
  clock.advance(20_000);
  assert.equal(await client.reply(), '421 4.4.1 Connection timed out');
  assert.equal(await client.end(), '');
});

test('a client that stops in its content is cut, and the message is forgotten', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<>');
  await client.ask('RCPT TO:<user@example.test>');
  await client.ask('DATA');
  client.send('Subject: never ending');
  clock.advance(122_000);
  assert.match(await client.reply(), /^421 4\.4\.2 /);
  await client.end();
  assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [0, 1]);
});

test('time that the client waits for us does not count', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.greeted();
  const commit = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  edge.queue.onCommit = () => {
    asked.resolve();
    return commit.promise;
  };
  const reply = client.message('Subject: x\r\n\r\n');
  await asked.promise;
  clock.advance(1_000_000);
  commit.resolve();
  assert.match(await reply, /^250 2\.6\.0 /);
});

test('a client that never speaks', async () => {
  const { edge, clock } = await withClock();
  await using _ = edge;
  const client = await edge.connect();
  await client.reply();
  clock.advance(62_000);
  assert.match(await client.reply(), /^421 4\.4\.2 /);
});
