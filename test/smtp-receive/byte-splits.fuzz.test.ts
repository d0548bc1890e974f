import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../lib/properties.ts';
import { type Client, internetSnapshot, Receiving } from './receiving.ts';

const runs = Math.max(200, Math.ceil(Number(process.env['EDGE_FUZZ_CASES'] ?? 0) / 1000));

/** Pieces of a dialogue that a hostile client might put together. */
const commands = [
  'EHLO client.example.org\r\n',
  'HELO x\n',
  'MAIL FROM:<a@example.org>\r\n',
  'MAIL FROM:<a@example.org> SIZE=99999999\r\n',
  'RCPT TO:<user@example.test>\r\n',
  'RCPT TO:<user@foreign.invalid>\r\n',
  'RSET\r\n',
  'NOOP\r\n',
  'nonsense \0\r\n',
  'VRFY a\r\n',
  '\r\n',
];
const contents = [
  '.\r\n',
  'Subject: a\r\n\r\nbody\r\n.\r\n',
  'Message-ID: <1@x>\r\n\r\n..\r\n...\r\n..x\r\n.\r\n',
  '..\r\n.\r\n',
  '\r\n.\r\n',
  'a\n.\nb\r\n.\r\n',
  'a\r.\rb\r\n.\r\n',
  'a\n.\r\nb\r\n.\r\n',
  'a\r\n.\nb\r\n.\r\n',
  'a\r\n.\rb\r\n.\r\n',
  'a\r\n\r\n.\r\r\nb\r\n.\r\n',
  '\xff\r\n.\r\n',
];
const message = fc
  .constantFrom(...contents)
  .map((content) => `MAIL FROM:<a@example.org>\r\nRCPT TO:<user@example.test>\r\nDATA\r\n${content}`);
const dialogue = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...commands) }, { weight: 3, arbitrary: message }), {
    maxLength: 8,
  })
  .map((pieces) => `EHLO first\r\n${pieces.join('')}QUIT\r\n`);

/** Replies and stored messages of a dialogue that arrives in these pieces. */
async function outcome(edge: Receiving, pieces: readonly Buffer[]): Promise<string> {
  const before = edge.queue.kept.length;
  const client: Client = await edge.connect();
  const greeting = await client.reply();
  for (const piece of pieces) {
    client.socket.write(piece);
    // The piece is on its way before the next one is written: it arrives alone, or nearly.
    await new Promise(setImmediate);
  }
  const replies = await client.end();
  const messages = edge.queue.kept.slice(before).map(({ content }) => content.toString('latin1'));
  return normal([greeting, replies, ...messages].join('\n---\n'));
}

/** Numbers, dates and identifiers differ from one message to the next. */
function normal(text: string): string {
  return text
    .replace(/InternalId=\d+/g, 'InternalId=N')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'GUID')
    .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, 'DATE')
    .replace(/\r\n[ \t]+/g, ' ');
}

function cut(octets: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...new Set(places.map((place) => place % (octets.length + 1)))].sort((a, b) => a - b);
  return at.map((start, i) => octets.subarray(start, at[i + 1] ?? octets.length)).filter((piece) => piece.length > 0);
}

for (const bareLinefeedRejectionEnabled of [true, false]) {
  test(`the same octets give the same replies and messages however they are cut (rejection ${bareLinefeedRejectionEnabled})`, async () => {
    await using edge = await Receiving.start({
      snapshot: internetSnapshot({ bareLinefeedRejectionEnabled, maxInboundConnectionPerSource: Infinity }),
    });
    await fc.assert(
      fc.asyncProperty(dialogue, fc.array(fc.nat(), { maxLength: 40 }), async (text, places) => {
        const octets = Buffer.from(text, 'latin1');
        assert.equal(await outcome(edge, cut(octets, places)), await outcome(edge, [octets]));
      }),
      { numRuns: runs },
    );
  });
}

test('one octet at a time', async () => {
  await using edge = await Receiving.start();
  const octets = Buffer.from(
    `EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<user@example.test>\r\nDATA\r\n${contents[2] ?? ''}QUIT\r\n`,
  );
  const all = Array.from({ length: octets.length }, (_, i) => octets.subarray(i, i + 1));
  assert.equal(await outcome(edge, all), await outcome(edge, [octets]));
  assert.equal(edge.queue.kept.length, 2);
});
