import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PeerReply, ReplyError, ReplyReader } from '../../src/smtp-send/connection/reply-reader.ts';
import fc from '../lib/properties.ts';

function read(...chunks: (string | Buffer)[]): PeerReply[] {
  const reader = new ReplyReader();
  const replies: PeerReply[] = [];
  for (const chunk of chunks) reader.push(Buffer.from(chunk), (reply) => replies.push(reply) > 0);
  return replies;
}

const rows: readonly (readonly [name: string, input: string | Buffer, texts: readonly string[]])[] = [
  ['one line', '250 Ok\r\n', ['250 Ok']],
  ['no text', '250\r\n', ['250']],
  ['bare LF', '250 Ok\n', ['250 Ok']],
  ['several in one chunk', '250 a\r\n251 b\r\n354 c\r\n', ['250 a', '251 b', '354 c']],
  ['several lines', '250-2.0.0 a\r\n250 2.0.0 b\r\n', ['250 2.0.0 a b']],
  ['several lines, last one empty', '250-a\r\n250\r\n', ['250 a']],
  ['lines with different codes: the last one decides', '250-a\r\n550 b\r\n', ['550 b']],
  ['an empty line between replies', '250 a\r\n\r\n250 b\r\n', ['250 a', '250 b']],
  ['UTF-8', '550 Empfänger unbekannt\r\n', ['550 Empfänger unbekannt']],
  ['Latin-1', Buffer.from('550 Empf\xe4nger\r\n', 'latin1'), ['550 Empfänger']],
  ['what a terminal acts on is named', '550 a\x1b[2Jb\x07\u202ec\r\n', ['550 a<U+001B>[2Jb<U+0007><U+202E>c']],
  ['an unfinished reply is none', '250-a\r\n250 b', []],
];

for (const [name, input, texts] of rows) {
  test(`reply: ${name}`, () => {
    assert.deepEqual(
      read(input).map(({ text }) => text),
      texts,
    );
  });
}

for (const bad of [
  'SSH-2.0-x\r\n',
  '25 Ok\r\n',
  '2500 Ok\r\n',
  '650 x\r\n',
  '150 x\r\n',
  '250_Ok\r\n',
  '250-a\r\nrubbish\r\n',
  `250-${'x'.repeat(9_000)}`,
]) {
  test(`no reply: ${JSON.stringify(bad.slice(0, 20))}`, () => assert.throws(() => read(bad), ReplyError));
}

test('a long text is cut, a reply without end is refused', () => {
  assert.equal(read(`550 ${'x'.repeat(5_000)}\r\n`)[0]?.text.length, 1_000);
  assert.throws(() => read(`250-${'y'.repeat(1_000)}\r\n`.repeat(70)), ReplyError);
});

test('what follows is forgotten when the taker says so', () => {
  const reader = new ReplyReader();
  const texts: string[] = [];
  reader.push(Buffer.from('220 go\r\n250-inj'), ({ text }) => (texts.push(text), false));
  reader.push(Buffer.from('250 real\r\n'), ({ text }) => (texts.push(text), true));
  assert.deepEqual(texts, ['220 go', '250 real']);
});

test('chunks do not matter', () => {
  const reply = fc
    .tuple(fc.integer({ min: 200, max: 599 }), fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 4 }))
    .map(([code, lines]) =>
      lines
        .map((line) => line.replace(/[^ -~]/g, '?'))
        .map((line, i) => `${code}${i < lines.length - 1 ? '-' : ' '}${line}\r\n`)
        .join(''),
    );
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), fc.array(fc.nat(40), { maxLength: 20 }), (replies, sizes) => {
      const whole = replies.join('');
      const chunks: string[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(whole.slice(at, at + size));
        at += size;
      }
      chunks.push(whole.slice(at));
      assert.deepEqual(read(...chunks), read(whole));
      assert.equal(read(whole).length, replies.length);
    }),
  );
});
