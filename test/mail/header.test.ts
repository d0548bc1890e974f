import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from '../../src/base/index.ts';
import { decodeWords, encodeWords, HeaderBlock, insertFields, removeFields } from '../../src/mail/index.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';

const text = [
  'Received: from a (b by c) by edge.example.com',
  ' with ESMTP; Mon, 1 Jan 2024 00:00:00 +0000',
  'RECEIVED: from x by other.example; date',
  'received:by EDGE.example.com with SMTP',
  'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= and',
  '\tmore',
  'Message-ID: <1@example.com>',
  'From : A <a@example.com>',
  'this is no field',
  'Date:',
  'Bcc: secret@example.com',
  ' second line of it',
  'X-Last: 1',
  '',
  'Subject: in the body',
  '',
].join('\r\n');
const block = new HeaderBlock(Buffer.from(text));

test('fields are found by name, whatever their case', () => {
  assert.equal(block.size, text.indexOf('Subject: in'));
  assert.equal(block.complete, true);
  assert.equal(block.count('Received'), 3);
  assert.equal(block.first('SUBJECT'), '=?utf-8?Q?Gr=C3=BC=C3=9Fe?= and\tmore'.replace('\t', ' '));
  assert.equal(block.first('from'), 'A <a@example.com>');
  assert.equal(block.first('date'), '');
  assert.equal(block.first('to'), undefined);
  assert.deepEqual(block.all('bcc'), ['secret@example.com second line of it']);
});

test('facts, with the hops of this server', () => {
  assert.deepEqual(block.facts('edge.example.com'), {
    messageId: '<1@example.com>',
    subject: 'Grüße and more',
    from: 'A <a@example.com>',
    date: '',
    hops: 3,
    localHops: 2,
    tlsOptional: false,
  });
});

test('values are cut on request, not in the middle of a character', () => {
  const long = new HeaderBlock(Buffer.from(`Subject: ${'ü'.repeat(1000)}\r\n\r\n`));
  const value = long.first('subject', 100) ?? '';
  assert.match(value, /^ü{49}$/);
});

const shapes: readonly [what: string, bytes: string, names: readonly string[], size: number, complete: boolean][] = [
  ['nothing', '', [], 0, false],
  ['an empty line only', '\r\nbody', [], 2, true],
  ['LF alone', 'A: b\nC: d\n\nbody', ['a', 'c'], 11, true],
  ['no end', 'A: b\r\nC: d', ['a', 'c'], 10, false],
  ['no line end at all', 'A: b', ['a'], 4, false],
  ['folding before any field', ' x\r\nA: b\r\n\r\n', ['', 'a'], 12, true],
  ['a colon first', ': x\r\n\r\n', [''], 7, true],
  ['eight bits in a name', 'Ä: x\r\n\r\n', [''], 9, true],
  ['an mbox line', 'From a@b Mon Jan\r\nA: b\r\n\r\n', ['', 'a'], 26, true],
];
for (const [what, bytes, names, size, complete] of shapes) {
  test(`header block: ${what}`, () => {
    const found = new HeaderBlock(Buffer.from(bytes));
    assert.deepEqual(
      found.fields.map(({ name }) => name),
      names,
    );
    assert.equal(found.size, size);
    assert.equal(found.complete, complete);
  });
}

test('garbage never throws, fields cover the block without gap, and the rest is untouched by edits', () => {
  const pieces = fc.constantFrom(
    'A',
    ':',
    ' ',
    '\r\n',
    '\n',
    '\r',
    '\t',
    'Received: by x',
    'ü',
    '\0',
    '=?utf-8?b?////?=',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const bytes = Buffer.from(parts.join(''));
      const found = new HeaderBlock(bytes);
      found.facts('x');
      let at = 0;
      for (const field of found.fields) {
        assert.equal(field.start, at);
        at = field.end;
      }
      assert.ok(at <= found.size && found.size - at <= 2);
      assert.ok(bytes.subarray(0, found.size).equals(removeFields(found, () => false)));
      const without = new HeaderBlock(removeFields(found, (name) => name === 'received'));
      assert.equal(without.count('received'), 0);
    }),
    { numRuns: 1000 },
  );
});

test('a header of a megabyte without a colon takes linear time', () => {
  const worked = cpuTime();
  new HeaderBlock(Buffer.from('x\r\n'.repeat(350_000)));
  new HeaderBlock(Buffer.from(`A:${'b '.repeat(500_000)}\r\n\r\n`)).facts('x');
  assert.ok(worked() < 2000, `${worked()} ms`);
});

test('fields are removed with their folded lines, and nothing else is', () => {
  const without = removeFields(block, (name) => name === 'bcc' || name === 'received').toString();
  assert.equal(
    without,
    text
      .slice(0, block.size)
      .replace(/^received:.*\r\n( .*\r\n)?/gim, '')
      .replace(/Bcc: .*\r\n .*\r\n/, ''),
  );
  assert.equal(block.bytes.buffer, removeFields(block, () => false).buffer, 'no copy when nothing is removed');
});

test('fields are put in front; what would end the header is refused', () => {
  assert.equal(
    insertFields(['A: b\r\n', 'C: d\r\n e\r\n'], Buffer.from('X: y\r\n\r\n')).toString(),
    'A: b\r\nC: d\r\n e\r\nX: y\r\n\r\n',
  );
  for (const field of [
    'A: b',
    'A: b\n',
    'A: b\r\n\r\n',
    'A: b\r\nC: d\r\n',
    'A\r\n',
    ' A: b\r\n',
    'A: b\0\r\n',
    'A: b\rc\r\n',
  ]) {
    assert.throws(() => insertFields([field], Buffer.alloc(0)), RangeError, JSON.stringify(field));
  }
});

test('encoded words: what is encoded decodes, and is ASCII in short lines', () => {
  const value = fc.string({ unit: 'grapheme' }).filter((one) => printable(one) === one && one === one.trim());
  fc.assert(
    fc.property(value, (one) => {
      const encoded = encodeWords(one);
      assert.match(encoded, /^(?:[ -~]|\r\n )*$/);
      if (encoded !== one) for (const line of encoded.split('\r\n')) assert.ok(line.trim().length <= 75, line);
      assert.equal(decodeWords(encoded.replaceAll('\r\n', '')), one);
    }),
  );
});

for (const [encoded, decoded] of [
  ['=?iso-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
  ['=?utf-8?B?w7w=?=  =?utf-8?q?_x?=', 'ü x'],
  ['=?windows-1252?Q?=80_5?=', '€ 5'],
  ['=?nonsense?Q?a?=', '=?nonsense?Q?a?='],
  ['=?utf-8?X?a?=', '=?utf-8?X?a?='],
  ['=?utf-8?Q?a=0D=0AX:_y?=', 'a  X: y'],
  ['=?utf-8?Q?safe=E2=80=AExcod.exe?=', 'safe<U+202E>xcod.exe'],
] as const) {
  test(`encoded word ${encoded}`, () => assert.equal(decodeWords(encoded), decoded));
}
