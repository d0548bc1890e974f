import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeStream, longestLine } from '../../src/smtp-receive/content/edge-stream.ts';

function parser() {
  const lines: string[] = [];
  const stream: EdgeStream = new EdgeStream({
    takeLine: (line) => void lines.push(line),
    takeLongLine: (beginning) => void lines.push(`(too long) ${beginning.slice(0, 5)}`.trim()),
    takeEnd: () => void lines.push('(end)'),
    pause: (next) => next(),
  });
  const take = (text: string): Promise<void> => new Promise((resolve) => stream.take(Buffer.from(text), resolve));
  return { lines, stream, take };
}

test('others get their turn after 32 lines of one packet', async () => {
  const { lines, take } = parser();
  const done = take('NOOP\r\n'.repeat(80));
  assert.equal(lines.length, 32);
  await new Promise(setImmediate);
  assert.equal(lines.length, 64);
  await done;
  assert.equal(lines.length, 80);
});

test('a line that comes octet by octet is the same line', async () => {
  const { lines, take } = parser();
  const line = `MAIL FROM:<${'a'.repeat(200)}@example.org>`;
  for (const octet of `${line}\r\n`) await take(octet);
  assert.deepEqual(lines, [line]);
});

test('the limit of one line is another for that line only', async () => {
  const { lines, stream, take } = parser();
  stream.limitLine(10);
  await take('12345678901\r\n');
  await take('12345678901\r\n');
  stream.limitLine(12_288);
  const long = 'x'.repeat(12_288);
  await take(`${long}\r`);
  await take(`\n${'y'.repeat(longestLine + 1)}\r\n`);
  assert.deepEqual(lines, ['(too long) 12345', '12345678901', long, '(too long) yyyyy']);
});

test('of a line that is too long the verb is known, in whatever pieces it comes', async () => {
  const { lines, take } = parser();
  const line = `BDAT ${'0'.repeat(longestLine)}1\r\n`;
  await take(line);
  for (const octet of line) await take(octet);
  await take(line.slice(0, 3));
  await take(line.slice(3));
  assert.deepEqual(lines, Array(3).fill('(too long) BDAT'));
});

test('the end of the client comes behind what it said', async () => {
  const lines: string[] = [];
  const disk = Promise.withResolvers<void>();
  const stream = new EdgeStream({
    takeLine: (line) => (lines.push(line), disk.promise),
    takeLongLine() {},
    takeEnd: () => void lines.push('(end)'),
    pause: (next) => next(),
  });
  const done = new Promise<void>((resolve) => stream.take(Buffer.from('DATA\r\n'), resolve));
  stream.finish();
  assert.deepEqual(lines, ['DATA']);
  disk.resolve();
  await done;
  assert.deepEqual(lines, ['DATA', '(end)']);
});
