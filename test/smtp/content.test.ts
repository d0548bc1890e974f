import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContentScanner, DotStuffer, DotUnstuffer } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';

/** Content made of what matters here, with stretches of ordinary text between. */
const content = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', '\r\n\r\n', '\t', '\x0e', 'ü'),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });

/** Cuts into pieces of the given sizes, over and over; each at an odd place of memory, as sockets deliver them. */
function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    const moved = Buffer.alloc(size + 3 + (i % 4), 0x0a);
    const length = bytes.copy(moved, i % 4, at, at + size);
    pieces.push(moved.subarray(i % 4, (i % 4) + length));
    at += size;
  }
  return pieces;
}

/** The same by regular expressions on the whole text: slow and plain. */
function factsOf(bytes: Buffer, maxLineBytes: number): Record<string, unknown> {
  const text = bytes.toString('latin1');
  const end = /^\r?\n|\n\r?\n/.exec(text);
  const headless = /^[ \t]/.test(text);
  const headerSize = headless ? 0 : end === null ? bytes.length : end.index + end[0].length;
  let start = 0;
  let longLine = -1;
  for (const line of text.split('\n')) {
    const isLast = start + line.length >= text.length;
    if (longLine < 0 && (isLast ? line : line.replace(/\r$/, '')).length > maxLineBytes) longLine = start;
    start += line.length + 1;
  }
  return {
    size: bytes.length,
    headerSize,
    bareCr: text.search(/\r(?!\n)/),
    bareLf: text.search(/(?<!\r)\n/),
    leadingDots: /(?:^|\n|\r)\./.test(text),
    eightBit: /[\x80-\xff]/.test(text),
    utf8Header: /[\x80-\xff]/.test(text.slice(0, headerSize)),
    longLine,
  };
}

function scan(pieces: readonly Buffer[], maxLineBytes: number): Record<string, unknown> {
  const s = new ContentScanner({ maxLineBytes });
  for (const piece of pieces) s.push(piece);
  s.end();
  const { size, headerSize, bareCr, bareLf, leadingDots, eightBit, utf8Header, longLine } = s;
  return { size, headerSize, bareCr, bareLf, leadingDots, eightBit, utf8Header, longLine };
}

test('the scanner finds in any pieces what regular expressions find in the whole', () => {
  fc.assert(
    fc.property(content, cuts, fc.integer({ min: 3, max: 20 }), (bytes, sizes, max) => {
      assert.deepEqual(scan(split(bytes, sizes), max), factsOf(bytes, max));
      assert.deepEqual(scan([bytes], max), factsOf(bytes, max));
    }),
    { numRuns: 2000 },
  );
});

test('one octet, at every place of a long text, is found', () => {
  const clean = Buffer.from(`A: b\r\n\r\n${'words and words\r\n'.repeat(20)}`);
  for (let at = 8; at < clean.length; at++) {
    for (const [octet, property] of [
      [0x0a, 'bareLf'],
      [0x0d, 'bareCr'],
      [0x80, 'eightBit'],
    ] as const) {
      const bytes = Buffer.concat([Buffer.alloc(at % 8), clean]).subarray(at % 8);
      bytes[at] = octet;
      const found = scan([bytes], 998);
      assert.deepEqual(found, factsOf(bytes, 998), `${property} at ${at}`);
    }
  }
});

test('a chunk of any length at any place of its memory, up to the last octet of it, is read', () => {
  for (let offset = 0; offset < 8; offset++) {
    for (let length = 1; length < 12; length++) {
      const chunk = Buffer.from(new ArrayBuffer(offset + length), offset, length).fill('x');
      chunk[length - 1] = 0x0a;
      assert.deepEqual(scan([chunk], 998), factsOf(chunk, 998), `${length} octets at ${offset}`);
    }
  }
});

test('a bare CR at the very end is bare only when nothing follows', () => {
  const s = new ContentScanner();
  s.push(Buffer.from('A: b\r'));
  assert.equal(s.bareCr, -1);
  s.push(Buffer.from('\n'));
  assert.equal(s.bareCr, -1);
  s.push(Buffer.from('x\r'));
  s.end();
  assert.equal(s.bareCr, 7);
});

function stuff(pieces: readonly Buffer[], normalise: boolean): Buffer {
  const stuffer = new DotStuffer({ normalise });
  return Buffer.concat([...pieces.map((piece) => stuffer.push(piece)), stuffer.end()]);
}

function unstuff(pieces: readonly Buffer[]): { content: Buffer; done: boolean; rest: Buffer } {
  const unstuffer = new DotUnstuffer();
  const out: Buffer[] = [];
  const rest: Buffer[] = [];
  let done = false;
  for (const piece of pieces) {
    const got = unstuffer.push(piece);
    out.push(got.content);
    rest.push(got.rest);
    done = got.done;
  }
  return { content: Buffer.concat(out), done, rest: Buffer.concat(rest) };
}

test('whatever is stuffed comes back, in any pieces, and what follows it is not touched', () => {
  fc.assert(
    fc.property(content, cuts, cuts, (bytes, out, back) => {
      const wire = stuff(split(bytes, out), false);
      const stream = Buffer.concat([wire, Buffer.from('QUIT\r\n')]);
      const got = unstuff(split(stream, back));
      assert.equal(got.done, true);
      assert.equal(got.rest.toString(), 'QUIT\r\n');
      const text = bytes.toString('latin1');
      // A dot behind a bare LF is stuffed too, for peers that take LF as a line end; a strict peer then sees it twice.
      const expected = text.replace(/(?<!\r)\n\./g, '\n..') + (text === '' || text.endsWith('\r\n') ? '' : '\r\n');
      assert.equal(got.content.toString('latin1'), expected);
    }),
    { numRuns: 2000 },
  );
});

test('normalised content has no bare CR or LF and only its own end of data', () => {
  fc.assert(
    fc.property(content, cuts, cuts, (bytes, out, back) => {
      const wire = stuff(split(bytes, out), true).toString('latin1');
      assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/);
      assert.equal(`\r\n${wire}`.indexOf('\r\n.\r\n'), wire.length - 3, JSON.stringify(wire));
      const text = bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
      const expected = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
      assert.equal(unstuff(split(Buffer.from(wire, 'latin1'), back)).content.toString('latin1'), expected);
    }),
    { numRuns: 2000 },
  );
});

/** The plain definition: RFC 5321 §4.5.2, on the whole stream. */
function reference(stream: string): { content: string; done: boolean; rest: string } {
  const framed = `\r\n${stream}`;
  const end = framed.indexOf('\r\n.\r\n');
  const data = end < 0 ? framed : framed.slice(0, end + 2);
  const rest = end < 0 ? '' : framed.slice(end + 5);
  return { content: data.replace(/\r\n\./g, '\r\n').slice(2), done: end >= 0, rest };
}

test('DATA ends at CRLF.CRLF and nowhere else, in any pieces', () => {
  const stream = fc
    .array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n.\r'), { maxLength: 24 })
    .map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(stream, cuts, (text, sizes) => {
      const got = unstuff(split(Buffer.from(`${text}\r\n.\r\nQUIT`), sizes));
      const wanted = reference(`${text}\r\n.\r\nQUIT`);
      assert.deepEqual({ content: got.content.toString(), done: got.done, rest: got.rest.toString() }, wanted);
    }),
    { numRuns: 3000 },
  );
});

for (const end of ['\n.\n', '\n.\r\n', '\r.\r', '\r\n.\n', '\r\n.\r', '\r.\r\n', '\r\n.\0\r\n', '\r\n\x2e\n\r\n']) {
  test(`smuggling: ${JSON.stringify(end)} does not end the data`, () => {
    const wire = Buffer.from(`body${end}MAIL FROM:<evil@example.com>\r\n.\r\nNOOP\r\n`);
    const got = unstuff([wire]);
    assert.match(got.content.toString(), /evil/);
    assert.equal(got.rest.toString(), 'NOOP\r\n');
  });
}

test('nothing is copied when nothing is to do', () => {
  const chunk = Buffer.from('plain text\r\nwithout dots\r\n');
  const stuffer = new DotStuffer({ normalise: false });
  assert.equal(stuffer.push(chunk), chunk);
  assert.equal(stuffer.end().toString(), '.\r\n');
  assert.equal(new DotUnstuffer().push(chunk).content, chunk);
  const { content: slice } = new DotUnstuffer().push(Buffer.concat([chunk, Buffer.from('.\r\n')]));
  assert.equal(slice.toString(), chunk.toString());
});

test('an empty message', () => {
  assert.equal(new DotStuffer({ normalise: false }).end().toString(), '.\r\n');
  assert.deepEqual(unstuff([Buffer.from('.\r\n')]), { content: Buffer.alloc(0), done: true, rest: Buffer.alloc(0) });
});
