import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from './receiving.ts';

const many = { maxInboundConnectionPerSource: Infinity, maxInboundConnectionPercentagePerSource: 100 } as const;
const dialogue =
  'EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<user@example.test>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n';

/** Resolves when the service has closed every session that it took. */
async function quiet(edge: Receiving, sessions: number): Promise<void> {
  while (edge.of('session-closed').length < sessions || edge.service.count > 0) await new Promise(setImmediate);
}

for (const [title, leave] of [
  ['RST', 'resetAndDestroy'],
  ['FIN', 'end'],
] as const) {
  test(`${title} behind every octet of a dialogue: no bug, no session left, no half message`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot(many) });
    const octets = Buffer.from(dialogue);
    for (let length = 0; length <= octets.length; length++) {
      const client = await edge.connect();
      await client.reply();
      client.socket.write(octets.subarray(0, length));
      await new Promise(setImmediate);
      client.socket[leave]();
    }
    await quiet(edge, octets.length + 1);
    const complete = octets.length - dialogue.indexOf('QUIT') + 1;
    assert.ok(edge.queue.kept.length <= complete);
    if (leave === 'end') assert.equal(edge.queue.kept.length, complete);
    assert.equal(edge.queue.kept.length + edge.queue.aborted, edge.queue.begun);
    assert.equal(edge.of('connector-chosen').length, edge.of('session-closed').length);
  });
}

test('RST while the greeting is on its way', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot(many) });
  for (let i = 0; i < 50; i++) (await edge.connect()).socket.resetAndDestroy();
  const client = await edge.greeted();
  assert.match(await client.message('Subject: x\r\n\r\n'), /^250 /);
});

test('a client that closes its side behind the last command gets all answers', async () => {
  await using edge = await Receiving.start();
  const client = await edge.connect();
  await client.reply();
  client.socket.end(dialogue.replace('QUIT\r\n', ''));
  const replies = (await client.end()).match(/^\d{3} /gm);
  assert.deepEqual(replies, ['250 ', '250 ', '250 ', '354 ', '250 ']);
  assert.equal(edge.queue.kept.length, 1);
});

test('a client that closes its side behind the final dot is answered before we close', async () => {
  await using edge = await Receiving.start();
  for (const rest of ['', 'QUIT\r\n']) {
    const disk = Promise.withResolvers<void>();
    const committing = Promise.withResolvers<void>();
    edge.queue.onCommit = () => (committing.resolve(), disk.promise);
    const client = await edge.connect();
    await client.reply();
    client.socket.end(dialogue.replace('QUIT\r\n', rest));
    await committing.promise;
    // The end of the client's half has come in before the disk is done: a whole other session fits between.
    await edge.greeted();
    disk.resolve();
    const replies = (await client.end()).match(/^\d{3} /gm);
    assert.deepEqual(replies?.slice(0, 5), ['250 ', '250 ', '250 ', '354 ', '250 ']);
    assert.equal(replies?.length, rest === '' ? 5 : 6);
  }
  assert.equal(edge.queue.kept.length, 2);
});

test('a line without its end is no command', async () => {
  await using edge = await Receiving.start();
  const client = await edge.connect();
  await client.reply();
  client.socket.end('EHLO x');
  assert.equal(await client.end(), '');
});

test('whoever speaks before the greeting gets 421', async () => {
  await using edge = await Receiving.start({
    agents: [{ name: 'Slow', priority: 1, onConnect: () => new Promise(() => {}) }],
  });
  const client = await edge.connect();
  assert.equal(await client.ask('EHLO x'), '421 4.5.1 Client was sending data before its turn');
  assert.equal(await client.end(), '');
});

test('a line of 100 MB is refused once, and nothing of it is kept', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 100; i++) {
    if (!client.socket.write(piece)) await new Promise((resolve) => client.socket.once('drain', resolve));
  }
  assert.equal(await client.ask(''), '500 5.5.6 Line too long');
  assert.match(await client.ask('NOOP'), /^250 /);
  // The line would be a string; what the socket read is not counted here.
  assert.ok(process.memoryUsage().heapUsed - before < 32 * 1024 ** 2);
});

for (const [length, expected] of [
  [4096, /^250 /],
  [4097, /^500 5\.5\.6 /],
] as const) {
  test(`a line of ${length} octets`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxProtocolErrors: Infinity }) });
    const client = await edge.greeted();
    assert.match(await client.ask(`NOOP ${'x'.repeat(length - 5)}`), expected);
    // In two pieces as well, cut between CR and LF.
    client.send(Buffer.from(`NOOP ${'x'.repeat(length - 5)}\r`));
    await new Promise(setImmediate);
    assert.match(await client.ask(Buffer.from('\n')), expected);
  });
}

test('a message of 100 MB above the limit is read to its end and not kept', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxMessageSize: 65_536 }) });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<>');
  await client.ask('RCPT TO:<user@example.test>');
  await client.ask('DATA');
  const piece = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1000));
  for (let i = 0; i < 100; i++) {
    if (!client.socket.write(piece)) await new Promise((resolve) => client.socket.once('drain', resolve));
  }
  assert.match(await client.ask('.'), /^552 5\.3\.4 /);
  assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [0, 1]);
});

test('a client that asks and never reads is not answered without end', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxProtocolErrors: Infinity }) });
  const socket = connect({ host: '127.0.0.1', port: edge.port });
  socket.on('error', () => {});
  await once(socket, 'readable');
  assert.match(String(socket.read()), /^220 /);
  const flood = Buffer.from('EHLO x\r\n'.repeat(8192));
  let sent = 0;
  // Sent until the service stops reading: then the kernel's buffers are full and no 'drain' comes for a while.
  const stuck = Promise.withResolvers<void>();
  const push = (): void => {
    const before = sent;
    while (socket.write(flood)) sent += flood.length;
    sent += flood.length;
    const timer = setTimeout(stuck.resolve, 500);
    socket.once('drain', () => {
      clearTimeout(timer);
      assert.ok(sent - before > 0);
      if (sent > 200 * 1024 ** 2) stuck.reject(new Error('everything was read'));
      else push();
    });
  };
  push();
  await stuck.promise;
  socket.destroy();
});

test('a packet full of commands does not keep others from their turn', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxProtocolErrors: Infinity }) });
  const other = await edge.greeted();
  const client = await edge.greeted();
  client.send(Buffer.from('NOOP\r\n'.repeat(10_000)));
  assert.match(await other.ask('NOOP'), /^250 /);
  for (let i = 0; i < 10_000; i++) assert.match(await client.reply(), /^250 /);
});

for (const request of ['GET / HTTP/1.1', 'POST /mail HTTP/1.1', 'OPTIONS * HTTP/1.0']) {
  test(`a browser is sent away: ${request}`, async () => {
    await using edge = await Receiving.start();
    const client = await edge.connect();
    await client.reply();
    client.send(Buffer.from(`${request}\r\nHost: x\r\n\r\nMAIL FROM:<a@example.org>\r\n`));
    assert.match(await client.reply(), /^421 /);
    assert.equal(await client.end(), '');
  });
}

for (const line of [
  'NOOP \0',
  'EHLO a\rb',
  'MAIL FROM:<a\x07@example.org>',
  'RCPT TO:<\x1b[2J@example.test>',
  '\x00\x01\x02',
]) {
  test(`control characters are refused and not logged: ${JSON.stringify(line)}`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot({ protocolLoggingLevel: 'Verbose' }) });
    const client = await edge.greeted();
    assert.match(await client.ask(line), /^50[01] /);
    for (const event of edge.events) assert.doesNotMatch(JSON.stringify(event), /\\u00|\\[bfnrt]/);
  });
}

for (const [argument, expected] of [
  ['', /^250-/],
  [' client.example.org', /^250-/],
  [' [192.0.2.1]', /^250-/],
  [' under_score', /^250-/],
  [' two words', /^501 5\.5\.4 Invalid domain name/],
  [` ${'x'.repeat(256)}`, /^501 5\.5\.4 /],
  [' müller', /^501 5\.5\.4 /],
] as const) {
  test(`EHLO${argument.slice(0, 30)}`, async () => {
    await using edge = await Receiving.start();
    const client = await edge.connect();
    await client.reply();
    assert.match(await client.ask(Buffer.from(`EHLO${argument}\r\n`)), expected);
  });
}

test('RequireEHLODomain', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ requireEHLODomain: true }) });
  const client = await edge.connect();
  await client.reply();
  assert.match(await client.ask('EHLO'), /^501 5\.5\.4 Invalid domain name/);
});

test('thousands of recipients in one packet', async () => {
  const snapshot = internetSnapshot({ maxRecipientsPerMessage: 5000 });
  const organization = { ...snapshot.organization, maxRecipientEnvelopeLimit: Infinity };
  await using edge = await Receiving.start({ snapshot: { ...snapshot, organization } });
  const client = await edge.greeted();
  const recipients = Array.from({ length: 5000 }, (_, i) => `RCPT TO:<u${i % 4000}@example.test>\r\n`).join('');
  client.send(Buffer.from(`MAIL FROM:<>\r\n${recipients}DATA\r\n`));
  for (let i = 0; i < 5001; i++) assert.match(await client.reply(), /^250 /);
  assert.match(await client.reply(), /^354 /);
  assert.match(await client.ask('Subject: x\r\n\r\n.'), /^250 /);
  assert.equal(edge.queue.kept[0]?.message.envelope.recipients.length, 4000);
});
