import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingLines } from '../../src/logs/files/waiting-lines.ts';

test('lines come back whole, in order and as UTF-8, each ended by CRLF', () => {
  const waiting = new WaitingLines();
  const lines = Array.from({ length: 5_000 }, (_, i) => `${i} ${'é€😀x'.repeat(i % 40)}`);
  for (const line of lines) waiting.add(line);
  const expected = lines.map((line) => `${line}\r\n`).join('');
  assert.equal(waiting.octets, Buffer.byteLength(expected));
  assert.equal(waiting.hasFull, true);
  let text = '';
  let count = 0;
  for (let piece = waiting.take(); piece !== undefined; piece = waiting.take()) {
    const part = piece.octets.toString();
    assert.equal(part.split('\r\n').length - 1, piece.lines);
    text += part;
    count += piece.lines;
  }
  assert.equal(text, expected);
  assert.equal(count, lines.length);
  assert.equal(waiting.octets, 0);
});

test('a line longer than a piece has one of its own, and nothing waiting gives nothing', () => {
  const waiting = new WaitingLines();
  assert.equal(waiting.take(), undefined);
  waiting.add('a');
  waiting.add('€'.repeat(200_000));
  waiting.add('b');
  assert.deepEqual(
    [waiting.take()?.octets.length, waiting.take()?.octets.length, waiting.take()?.octets.length],
    [3, 600_002, 3],
  );
  assert.equal(waiting.take(), undefined);
});

test('the room of a piece that was written is used again, and not while it is being written', () => {
  const waiting = new WaitingLines();
  const rooms = new Set<ArrayBufferLike>();
  for (let i = 0; i < 1_000; i++) {
    waiting.add(`line ${i}`);
    const piece = waiting.take();
    assert.ok(piece !== undefined);
    rooms.add(piece.octets.buffer);
    // Comes while the piece is on its way to the disk.
    waiting.add(`meanwhile ${i}`);
    assert.equal(piece.octets.toString(), `line ${i}\r\n`);
    waiting.giveBack(piece);
    const next = waiting.take();
    assert.equal(next?.octets.toString(), `meanwhile ${i}\r\n`);
    if (next !== undefined) waiting.giveBack(next);
    rooms.add(next?.octets.buffer ?? new ArrayBuffer());
  }
  assert.equal(rooms.size, 2);
  waiting.add('€'.repeat(200_000));
  const long = waiting.take();
  assert.ok(long !== undefined);
  waiting.giveBack(long);
  waiting.rest();
  waiting.add('behind the silence');
  assert.ok(!rooms.has(waiting.take()?.octets.buffer ?? new ArrayBuffer()), 'a log that rests holds no room');
});
