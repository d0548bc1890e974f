import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from './receiving.ts';

/** `BDAT n [LAST]` with its octets. */
function chunk(octets: string | Buffer, last = false): Buffer {
  const bytes = Buffer.from(octets);
  return Buffer.concat([Buffer.from(`BDAT ${bytes.length}${last ? ' LAST' : ''}\r\n`), bytes]);
}
const line = (text: string): Buffer => Buffer.from(`${text}\r\n`);
const header = 'Subject: chunks\r\nMIME-Version: 1.0\r\n\r\n';
const octets = Buffer.from(Array.from({ length: 512 }, (_, i) => i & 255));

test('binary content arrives octet for octet, pipelined and cut at every place', async () => {
  await using edge = await Receiving.start();
  const content = Buffer.concat([Buffer.from(header), octets]);
  const wire = Buffer.concat([
    line('MAIL FROM:<sender@example.org> BODY=BINARYMIME'),
    line('RCPT TO:<user@example.test>'),
    chunk(content.subarray(0, 20)),
    chunk(content.subarray(20), true),
  ]);
  const client = await edge.greeted();
  for (let cut = 1; cut < wire.length; cut += 37) {
    client.send(wire.subarray(0, cut));
    await new Promise(setImmediate);
    client.send(wire.subarray(cut));
    const replies = [await client.reply(), await client.reply(), await client.reply(), await client.reply()];
    assert.match(
      replies.join('|'),
      /^250 2\.1\.0.*\|250 2\.1\.5.*\|250 2\.6\.0 CHUNK received OK, 20 octets\|250 2\.6\.0 </,
    );
    const kept = edge.queue.kept.at(-1);
    assert.ok(kept);
    assert.ok(kept.content.subarray(-content.length).equals(content));
    assert.equal(kept.message.envelope.body, 'BINARYMIME');
    assert.equal(kept.message.facts.bareLines, true);
  }
});

const refusals: readonly (readonly [name: string, mail: string, content: string, reply: RegExp])[] = [
  [
    'a bare LF in a chunk that is not declared binary',
    '',
    `${header}a\nb\r\n`,
    /^550 5\.6\.11 SMTPSEND\.BareLinefeeds/,
  ],
  ['a bare CR in a chunk that is not declared binary', ' BODY=8BITMIME', `${header}a\rb\r\n`, /^550 5\.6\.11/],
  ['a header with a bare LF under BINARYMIME', ' BODY=BINARYMIME', `X: a\nY: b\r\n\r\n`, /^550 5\.6\.11/],
  ['a header ended by bare LFs under BINARYMIME', ' BODY=BINARYMIME', `X: a\n\nY: b\r\n\r\n`, /^550 5\.6\.11/],
];
for (const [name, parameter, content, reply] of refusals) {
  test(`${name} is refused`, async () => {
    await using edge = await Receiving.start();
    const client = await edge.greeted();
    await client.ask(`MAIL FROM:<sender@example.org>${parameter}`);
    await client.ask('RCPT TO:<user@example.test>');
    assert.match(await client.ask(chunk(content, true)), reply);
    assert.match(await client.ask('NOOP'), /^250/);
    assert.equal(edge.queue.kept.length, 0);
  });
}

test('a message that is too large by its next chunk is refused before its octets come, and stays refused until RSET', async () => {
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ maxMessageSize: 65_536 }),
  });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<sender@example.org>');
  await client.ask('RCPT TO:<user@example.test>');
  assert.match(await client.ask(chunk(header)), /^250/);
  const large = Buffer.alloc(70_000, 'x');
  for (let i = 0; i < 8; i++) assert.match(await client.ask(chunk(large)), /^552 5\.3\.4/);
  assert.equal(edge.queue.aborted, 1);
  assert.match(await client.ask('RSET'), /^250/);
  assert.match(await client.message(`${header}again\r\n`), /^250/);
});

test('octets that are read to be thrown away are bounded: 421', async () => {
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ maxMessageSize: 65_536 }),
  });
  const client = await edge.greeted();
  const large = Buffer.alloc(1024 ** 2, 'NOOP\r\n');
  assert.match(await client.ask(chunk(large)), /^503/);
  assert.match(await client.ask(chunk(large)), /^503/);
  client.send('BDAT 1');
  assert.match(await client.reply(), /^421 4\.3\.4/);
  await client.end();
});

test('a pipelining client whose MAIL is refused gets one answer for each chunk and no 421', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  client.send(Buffer.concat([line('MAIL FROM:<no domain>'), ...Array.from({ length: 20 }, () => chunk('QUIT\r\n'))]));
  assert.match(await client.reply(), /^501/);
  for (let i = 0; i < 20; i++) assert.match(await client.reply(), /^503/);
  assert.match(await client.ask('NOOP'), /^250/);
});

test('a client that leaves amid its chunks leaves nothing behind', async () => {
  await using edge = await Receiving.start();
  for (const rest of ['', 'BDAT 100\r\nabc']) {
    const client = await edge.greeted();
    await client.ask('MAIL FROM:<sender@example.org>');
    await client.ask('RCPT TO:<user@example.test>');
    await client.ask(chunk(header));
    client.send(Buffer.from(rest));
    client.socket.end();
    await client.end();
  }
  await edge.closed(2);
  assert.equal(edge.queue.aborted, 2);
});

test('where ChunkingEnabled is off the octets of BDAT are read past', async () => {
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ chunkingEnabled: false }),
  });
  const client = await edge.connect();
  await client.reply();
  assert.doesNotMatch(await client.ask('EHLO client.example.org'), /CHUNKING|BINARYMIME/);
  assert.match(await client.ask('MAIL FROM:<sender@example.org> BODY=BINARYMIME'), /^555/);
  assert.match(await client.ask(chunk('QUIT\r\n')), /^502/);
  assert.match(await client.ask('NOOP'), /^250/);
});
