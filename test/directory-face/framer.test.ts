import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BerFault, BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { Framer, FramingFault } from '../../src/directory/face/ber/framer.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';

function framesOf(pieces: readonly Buffer[], maxBytes = 1_000_000): Buffer[] {
  const framer = new Framer(maxBytes);
  const found: Buffer[] = [];
  for (const piece of pieces) {
    framer.push(piece);
    for (let one = framer.next(); one !== undefined; one = framer.next()) found.push(one);
  }
  return found;
}

test('messages come out whole however the stream is cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(), { maxLength: 20 }), (contents, cuts) => {
      const sent = contents.map((content) => sequence(Buffer.from(content)));
      const stream = Buffer.concat(sent);
      const places = [0, ...cuts.map((cut) => cut % stream.length).sort((a, b) => a - b), stream.length];
      const pieces = places.slice(1).map((end, i) => stream.subarray(places[i], end));
      assert.deepEqual(framesOf(pieces), sent);
    }),
  );
});

test('a message given out keeps its octets while others come', () => {
  const framer = new Framer(1000);
  const [first, second] = [sequence(octets('first one')), sequence(octets('other one'))];
  framer.push(first.subarray(0, 3));
  framer.push(Buffer.concat([first.subarray(3), second.subarray(0, 4)]));
  const kept = framer.next();
  framer.push(second.subarray(4));
  assert.deepEqual([kept, framer.next()], [first, second]);
});

test('what is held is the message that has begun, and nothing when none has', () => {
  const framer = new Framer(2_000_000);
  const message = sequence(octets('x'.repeat(1_000_000)));
  for (let at = 0; at < message.length; at += 50_000) {
    assert.equal(framer.next(), undefined);
    framer.push(message.subarray(at, at + 50_000));
    assert.ok(framer.held <= message.length, 'no more than it announces');
  }
  assert.deepEqual(framer.next(), message);
  assert.equal(framer.held, 0, 'a large message is not kept until the next one');
});

const refused: readonly (readonly [name: string, hex: string])[] = [
  ['the nine octets that end ldapjs', '30 84 ff ff ff ff 02 01 01'],
  ['an indefinite length', '30 80 02 01 01'],
  ['a length of five octets', '30 85 00 00 00 00 05'],
  ['a length of 127 octets', '30 ff 00'],
  ['a set', '31 05 02 01 01'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n').toString('hex')],
  ['TLS', '16 03 01 02 00'],
  ['more than is allowed', '30 82 04 01'],
];

for (const [name, hex] of refused) {
  test(`refused at its header: ${name}`, () => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    assert.throws(() => framesOf([bytes], 1024), FramingFault);
    assert.throws(
      () =>
        framesOf(
          [...bytes].map((byte) => Buffer.from([byte])),
          1024,
        ),
      FramingFault,
    );
  });
}

test('lengths in more octets than needed are taken', () => {
  const bytes = Buffer.from('3084000000030201 01'.replaceAll(' ', ''), 'hex');
  assert.deepEqual(framesOf([bytes]), [bytes]);
});

test('ten megabytes in small pieces take linear time', () => {
  const total = 10 * 1024 ** 2;
  const content = Buffer.alloc(total - 6, 1);
  const framer = new Framer(total);
  const worked = cpuTime();
  framer.push(Buffer.from([0x30, 0x84, ...[24, 16, 8, 0].map((shift) => (content.length >> shift) & 0xff)]));
  for (let at = 0; at < content.length; at += 512) {
    framer.push(content.subarray(at, at + 512));
    if (at + 512 < content.length) assert.equal(framer.next(), undefined);
  }
  assert.equal(framer.next()?.length, total);
  // ldapjs needs minutes for this; the bound is wide for a busy machine.
  assert.ok(worked() < 2000, `${worked()} ms`);
});

test('integers come back', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      assert.equal(new BerReader(integer(value)).integer(), value);
    }),
  );
});

const brokenElements: readonly (readonly [name: string, hex: string])[] = [
  ['nothing', ''],
  ['a tag alone', '04'],
  ['a length cut off', '0482 01'],
  ['contents cut off', '04 05 61'],
  ['an indefinite length', '04 80'],
  ['a length with its highest bit set', '04 84 ff ff ff ff'],
];

for (const [name, hex] of brokenElements) {
  test(`no octet string: ${name}`, () => {
    assert.throws(() => new BerReader(Buffer.from(hex.replaceAll(' ', ''), 'hex')).octets(), BerFault);
  });
}

test('text that is no UTF-8 is told from text that holds U+FFFD', () => {
  assert.equal(new BerReader(octets(Buffer.from([0xff]))).text(), undefined);
  assert.equal(new BerReader(octets('\ufffd')).text(), '\ufffd');
});
