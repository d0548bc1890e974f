import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellText, printable, printableJson, printableLines, spreadsheetCell } from '../../src/base/index.ts';
import { asciiText } from '../../src/base/text/index.ts';
import fc from '../lib/properties.ts';

/** Every code point of Unicode whose class says that it is a control, a separator or no character. */
function* actingCodePoints(): Generator<number, void> {
  for (let code = 0; code <= 0x10ffff; code++) {
    const text = String.fromCodePoint(code);
    if (/[\p{C}\p{Z}]/u.test(text) && !/[\p{Co}]|(?=\p{Cn})\P{Noncharacter_Code_Point}/u.test(text)) yield code;
  }
}

/** Joiners: they act on the letters beside them only. */
const harmless = new Set([0x20, 0x200c, 0x200d]);

test('no control or separator of Unicode is shown as it is', () => {
  let seen = 0;
  for (const code of actingCodePoints()) {
    seen += 1;
    const text = String.fromCodePoint(code);
    if (harmless.has(code)) continue;
    assert.doesNotMatch(printable(`a${text}b`), /^a[^ <]/u, `U+${code.toString(16)}`);
    assert.ok(!printable(`a${text}b`).includes(text), `U+${code.toString(16)}`);
    const lines = printableLines(`a${text}b`);
    assert.ok(code === 0x0a || code === 0x09 ? lines === `a${text}b` : !lines.includes(text), `U+${code.toString(16)}`);
    const json = printableJson([text]);
    if (!/\p{Zs}/u.test(text)) assert.ok(!json.includes(text), `U+${code.toString(16)}`);
    assert.deepEqual(JSON.parse(json), [text]);
  }
  // All of Cc, Cf, Cs, Zs, Zl, Zp and the 66 non-characters.
  assert.ok(seen > 2_300, `${seen} code points`);
});

const rows: readonly [text: string, shown: string][] = [
  ['hello', 'hello'],
  ['Grüße, 日本語, नमस्ते, می‌خواهم, 👩‍👩‍👧', 'Grüße, 日本語, नमस्ते, می‌خواهم, 👩‍👩‍👧'],
  ['hi\u20282026-01-01T00:00:00.000Z,SEND', 'hi 2026-01-01T00:00:00.000Z,SEND'],
  ['a\u2029b\u0085c\r\nd', 'a b c  d'],
  ['\u001b[2Jx\u009b2J', '<U+001B>[2Jx<U+009B>2J'],
  ['safe\u202excod.exe', 'safe<U+202E>xcod.exe'],
  ['\ud800x', '<U+D800>x'],
  ['a\u3000b\u00a0c', 'a b c'],
  ['tag\u{e0041}', 'tag<U+E0041>'],
];
for (const [text, shown] of rows) {
  test(`${JSON.stringify(text)} is shown as ${JSON.stringify(shown)}`, () => assert.equal(printable(text), shown));
}

test('a long text is cut at a whole character, and says so', () => {
  assert.equal(printable('x'.repeat(256), 256), 'x'.repeat(256));
  assert.equal(printable('x'.repeat(257), 256), `${'x'.repeat(255)}…`);
  assert.equal(printable('👍👍👍', 4), '👍…');
  // What grows by naming is cut too.
  assert.equal(printable('\u202e'.repeat(100), 20).length, 20);
});

const cells: readonly [text: string, cell: string][] = [
  ['=cmd|x', "'=cmd|x"],
  ['+1', "'+1"],
  ['-user@example.com', "'-user@example.com"],
  ['@SUM(1)', "'@SUM(1)"],
  [' \t=x', "' \t=x"],
  ['＝x', "'＝x"],
  ["'=x", "''=x"],
  ['plain', 'plain'],
  ["'quoted'", "'quoted'"],
  ['+', '+'],
  ['<>', '<>'],
];
for (const [text, cell] of cells) {
  test(`a spreadsheet gets ${JSON.stringify(cell)} for ${JSON.stringify(text)}`, () => {
    assert.equal(spreadsheetCell(text), cell);
    assert.equal(cellText(cell), text);
  });
}

test('cells give every text back, and never begin as a formula', () => {
  const hostile = fc.string({ unit: fc.constantFrom("'", '=', '+', '-', '@', ' ', '\t', 'a', '\n') });
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string()), (text) => {
      const cell = spreadsheetCell(text);
      assert.equal(cellText(cell), text);
      assert.doesNotMatch(cell, /^\s*[=+\-@]./s);
    }),
  );
});

test('what is printable stays so: a second pass changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 300 }), (text, most) => {
      const once = printable(text, most);
      assert.ok(once.length <= most);
      assert.equal(printable(once, most), once);
    }),
  );
});

test('ASCII of a text is printable ASCII, whatever it was, and reads like it where it can', () => {
  for (const [text, ascii] of [
    ['plain ~ text', 'plain ~ text'],
    ['Grüße, Łukasz; Søren, Ærø', 'Grusse, Lukasz; Soren, AEro'],
    ['‘a’ „b“ – 5 €…', `'a' "b" - 5 EUR...`],
    ['１２３ ﬁn', '123 fin'],
    ['Привет', '??????'],
    ['a\r\nb\0c\u2028d\ud800', 'a??b?c?d?'],
  ] as const)
    assert.equal(asciiText(text), ascii);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^[ -~]*$/.test(asciiText(text))));
});
