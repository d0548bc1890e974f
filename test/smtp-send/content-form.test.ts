/** Messages in the form that remote domains ask for: character sets, lines, encodings and alternatives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RemoteDomain, testSnapshot } from '../../src/config/index.ts';
import type { DeliveryItem } from '../../src/queue/index.ts';
import { formItem } from '../../src/smtp-send/content/formed-item.ts';
import { contentFormOf } from '../../src/smtp-send/content/remote-domain-form.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { FakeWork, testMessage } from './fake-work.ts';
import { senderBench } from './sender-bench.ts';

const [defaults] = testSnapshot().remoteDomains;
const formWith = (change: Partial<RemoteDomain>) =>
  contentFormOf({ ...(defaults ?? assert.fail()), ...change }) ?? assert.fail('no form');

/** The message after that, held whole and streamed in small pieces, which have to agree. */
async function formed(
  change: Partial<RemoteDomain>,
  content: Buffer,
): Promise<{ text: string; broken: readonly string[] }> {
  const { message } = testMessage({ content });
  const results = await Promise.all(
    [false, true].map(async (streamed) => {
      const given: DeliveryItem = {
        message,
        recipients: [0],
        content: () => (streamed ? undefined : content),
        async *stream() {
          for (let at = 0; at < content.length; at += 5) yield content.subarray(at, at + 5);
        },
        settle() {},
        release() {},
      };
      const { item, changes } = await formItem(given, formWith(change));
      const got = Buffer.concat(await Array.fromAsync(item.stream()));
      assert.equal(item.message.facts.size, got.length);
      assert.equal(item.message.facts.headerSize, message.facts.headerSize);
      return { text: got.toString('latin1'), broken: changes.flatMap(({ broken }) => broken) };
    }),
  );
  assert.equal(results[0]?.text, results[1]?.text);
  assert.deepEqual(results[0]?.broken, results[1]?.broken);
  return results[0] ?? assert.fail();
}

const mime = (type: string, encoding: string, body: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`,
    ),
    Buffer.from(body),
  ]);
const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

const long = `${'word '.repeat(30)}end\r\nshort\r\n`;
const utf8 = 'text/plain; charset=utf-8; format=x';
const rows: readonly (readonly [
  title: string,
  change: Partial<RemoteDomain>,
  content: Buffer,
  holds: RegExp | undefined,
])[] = [
  [
    'CharacterSet: the text is in it, and says so',
    { characterSet: 'iso-8859-15' },
    mime(utf8, '8bit', 'Gr\u00fc\u00dfe f\u00fcr 5 \u20ac\r\n'),
    /Content-Type: text\/plain; format=x;\r\n\tcharset="iso-8859-15"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe f\xfcr 5 \xa4\r\n$/,
  ],
  [
    'quoted-printable stays that',
    { characterSet: 'ISO-8859-1' },
    mime(utf8, 'quoted-printable', 'Gr=C3=BC=C3=9Fe\r\n'),
    /charset="iso-8859-1"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n$/,
  ],
  [
    'a set that has not all of the text is not taken',
    { characterSet: 'iso-8859-1' },
    mime(utf8, '8bit', '\u0436\u00fc\r\n'),
    undefined,
  ],
  [
    'RequiredCharsetCoverage lets it',
    { characterSet: 'iso-8859-1', requiredCharsetCoverage: 50 },
    mime(utf8, '8bit', '\u0436\u00fc\u00fc\r\n'),
    /charset="iso-8859-1"[^]*\r\n\?\xfc\xfc\r\n$/,
  ],
  ['ASCII is the same everywhere', { characterSet: 'iso-8859-1' }, mime(utf8, '7bit', 'plain\r\n'), undefined],
  [
    'what does not read as its set stays',
    { characterSet: 'iso-8859-1' },
    mime(utf8, '8bit', Buffer.from([0xff, 0xfe, 10])),
    undefined,
  ],
  [
    'NonMimeCharacterSet: octets without MIME fields',
    { nonMimeCharacterSet: 'iso-8859-1' },
    Buffer.from('Subject: x\r\n\r\nGr\u00fc\u00dfe\r\n'),
    /^Subject: x\r\n\r\nGr\xfc\xdfe\r\n$/,
  ],
  [
    'Shift_JIS as ISO-2022-JP, kana of half width as full',
    { preferredInternetCodePageForShiftJis: '50220' },
    mime('text/plain; charset=Shift_JIS', '8bit', Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0xb6, 0xde, 0x41, 13, 10])),
    /charset="iso-2022-jp"[^]*\r\n\x1b\$B(?:FK|F\|)K\\%,\x1b\(BA\r\n$/,
  ],
  [
    'LineWrapSize: lines of plain text, at spaces',
    { lineWrapSize: 40 },
    mime('text/plain', '7bit', long),
    /^(?:[^\r\n]{0,40}\r\n)+$/,
  ],
  ['LineWrapSize: not of HTML', { lineWrapSize: 40 }, mime('text/html', '7bit', long), undefined],
  [
    'ByteEncoderTypeFor7BitCharsets UseBase64',
    { byteEncoderTypeFor7BitCharsets: 'UseBase64' },
    mime('text/plain', '7bit', 'hello\r\n'),
    /Content-Transfer-Encoding: base64\r\n\r\naGVsbG8NCg==\r\n$/,
  ],
  [
    'ByteEncoderTypeFor7BitCharsets Use7Bit',
    { byteEncoderTypeFor7BitCharsets: 'Use7Bit' },
    mime('text/plain', 'quoted-printable', 'a=3Db\r\n'),
    /Content-Transfer-Encoding: 7bit\r\n\r\na=b\r\n$/,
  ],
  [
    'UseQPHtml7BitTextPlain: plain text is 7-bit',
    { byteEncoderTypeFor7BitCharsets: 'UseQPHtml7BitTextPlain' },
    mime('text/plain', 'base64', 'YT1i\r\n'),
    /Content-Transfer-Encoding: 7bit\r\n\r\na=b$/,
  ],
  [
    'what is no line of a message stays encoded',
    { byteEncoderTypeFor7BitCharsets: 'Use7Bit' },
    mime('text/plain', 'base64', `${Buffer.from('a\n.\nb\0').toString('base64')}\r\n`),
    undefined,
  ],
  [
    'UseQPHtml7BitTextPlain: HTML is quoted-printable',
    { byteEncoderTypeFor7BitCharsets: 'UseQPHtml7BitTextPlain' },
    mime('text/html', '7bit', 'a=b\r\n'),
    /Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n$/,
  ],
  [
    'an attachment is no text',
    { characterSet: 'iso-8859-1' },
    mime('text/plain; charset=utf-8\r\nContent-Disposition: attachment', '8bit', '\u00fc\r\n'),
    undefined,
  ],
];
for (const [title, change, content, holds] of rows)
  test(title, async () => {
    const { text } = await formed(change, content);
    if (holds === undefined) assert.equal(text, content.toString('latin1'));
    else assert.match(title.startsWith('LineWrap') ? bodyOf(text) : text, holds);
  });

const alternative = (html: string, after = ''): Buffer =>
  Buffer.from(
    `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary="a b"\r\n\r\npreamble\r\n--a b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--a b\r\n${html}${after}--a b--\r\n--m\r\nContent-Type: text/html\r\n\r\nattached\r\n--m--\r\nepilogue\r\n`,
  );
const html = 'Content-Type: text/html\r\n\r\n<p>\r\n';
const related =
  'Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<p>\r\n--r\r\nContent-Type: image/gif\r\n\r\nGIF\r\n--r--\r\n\r\n';
const calendar = '--a b\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n';

test('ContentType MimeText leaves HTML out of alternatives, with what belongs to it; MimeHtml plain text', async () => {
  for (const other of [html, related])
    for (const after of ['', calendar]) {
      const content = alternative(other, after).toString();
      const text = (await formed({ contentType: 'MimeText' }, Buffer.from(content))).text;
      assert.equal(text, content.replace(`--a b\r\n${other}`, ''));
      const marked = (await formed({ contentType: 'MimeHtml' }, Buffer.from(content))).text;
      assert.equal(marked, content.replace('--a b\r\nContent-Type: text/plain\r\n\r\nplain\r\n', ''));
    }
  // What has no other form keeps the one it has.
  for (const contentType of ['MimeText', 'MimeHtml'] as const) {
    const alone = alternative('', '').toString().replace('--a b\r\n--a b--', '--a b--');
    assert.equal((await formed({ contentType }, Buffer.from(alone))).text, alone);
  }
});

test('nothing behind a part that is left out is lost, however its multipart is delimited', async () => {
  const content = alternative(html).toString();
  const unclosed = content.replace('--a b--\r\n', '');
  const quoted = content.replace('boundary="a b"', 'boundary="a\\"b"').replaceAll('--a b', '--a"b');
  for (const given of [unclosed, quoted]) {
    const { text } = await formed({ contentType: 'MimeText' }, Buffer.from(given));
    assert.equal(text, given.replace(/--a[ "]b\r\nContent-Type: text\/html\r\n\r\n<p>\r\n/, ''));
  }
});

test('signed parts and enclosed messages stay, a broken DKIM signature is told', async () => {
  const part = 'Content-Type: text/plain; charset=utf-8\r\n\r\n\u00fc\r\n';
  for (const type of ['multipart/signed; boundary=s', 'multipart/encrypted; boundary=s']) {
    const content = Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n--s\r\n${part}--s--\r\n`);
    assert.equal((await formed({ characterSet: 'iso-8859-1' }, content)).text, content.toString('latin1'));
  }
  const enclosed = Buffer.from(`MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n${part}`);
  assert.equal((await formed({ characterSet: 'iso-8859-1' }, enclosed)).text, enclosed.toString('latin1'));
  const signed = Buffer.concat([Buffer.from('DKIM-Signature: v=1\r\n'), mime(utf8, '8bit', '\u00fc\r\n')]);
  assert.deepEqual((await formed({ characterSet: 'iso-8859-1' }, signed)).broken, ['DKIM-Signature']);
});

test('a domain with the defaults asks for nothing', () => {
  assert.equal(contentFormOf(defaults ?? assert.fail()), undefined);
});

test('on the wire: only where a recipient is of such a domain', async () => {
  await using sink = await ScriptedSink.listen();
  const forms = () => (domain: string) =>
    domain === 'old.example' ? formWith({ characterSet: 'iso-8859-1' }) : undefined;
  for (const [address, shown] of [
    ['a@old.example', '\r\n\r\n=FC\r\n'],
    ['a@new.example', '\r\n\r\n=C3=BC\r\n'],
  ] as const) {
    const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${sink.port}`], ignoreSTARTTLS: true }, { forms });
    const content = mime('text/plain; charset=utf-8', 'quoted-printable', '=C3=BC\r\n');
    await sender.deliver(new FakeWork([{ recipients: [address], content }]));
    assert.ok(sink.taken.at(-1)?.content.includes(shown), address);
  }
});
