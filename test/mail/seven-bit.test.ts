import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type ConversionTask, type SevenBitPlan, SevenBitScan, SevenBitWriter } from '../../src/mail/index.ts';
import fc from '../lib/properties.ts';

/** Both passes, in chunks of `size` octets. */
function convert(
  content: Buffer,
  size = content.length || 1,
  task: ConversionTask = {},
): { text: string; plan: SevenBitPlan } {
  const chunks = Array.from({ length: Math.ceil(content.length / size) }, (_, i) =>
    content.subarray(i * size, (i + 1) * size),
  );
  const scan = new SevenBitScan(task);
  for (const chunk of chunks) scan.push(chunk);
  const plan = scan.end();
  const writer = new SevenBitWriter(plan);
  const out = Buffer.concat([...chunks.map((chunk) => writer.push(chunk)), writer.end()]);
  return { text: out.toString('latin1'), plan };
}

const mail = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'));
const attachment = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x80, 0x81]).toString('latin1');

interface Row {
  readonly name: string;
  readonly lines: readonly string[];
  readonly expected: readonly string[];
  readonly broken?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: 'text becomes quoted-printable',
    lines: [
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Grüße = hi ',
      '',
    ],
    expected: [
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=C3=BC=C3=9Fe =3D hi=20',
      '',
    ],
  },
  {
    name: 'text of another script becomes base64',
    lines: ['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '', 'привет', ''],
    expected: [
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      '0L/RgNC40LLQtdGCDQo=',
      '',
    ],
  },
  {
    name: 'a message without MIME gets it, and a charset that claims nothing',
    lines: ['Subject: x', '', 'caf\u00e9 au lait, s\u2019il vous pla\u00eet', ''],
    expected: [
      'Subject: x',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=unknown-8bit',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'caf=C3=A9 au lait, s=E2=80=99il vous pla=C3=AEt',
      '',
    ],
  },
  {
    name: 'only the parts that need it; the composite no longer says 8bit',
    lines: [
      ...['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="b"', 'Content-Transfer-Encoding: 8bit', ''],
      ...['pre \u00e4', '--b', 'Content-Type: text/plain', '', 'plain', '--b'],
      ...[
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding:',
        ' 8bit',
        '',
        'sch\u00f6n, and more of it',
        '--b--',
        'post',
        '',
      ],
    ],
    expected: [
      ...['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="b"', 'Content-Transfer-Encoding: 7bit', ''],
      ...['pre ??', '--b', 'Content-Type: text/plain', '', 'plain', '--b'],
      ...[
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'sch=C3=B6n, and more of it',
        '--b--',
        'post',
        '',
      ],
    ],
  },
  {
    name: 'an enclosed message is converted inside',
    lines: [
      ...[
        'Content-Type: multipart/report; boundary=b',
        '',
        '--b',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 8bit',
        '',
      ],
      ...[
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary=c',
        '',
        '--c',
        'Content-Type: text/html',
        '',
        '<p>\u00fc</p> and so on',
        '--c--',
        '--b--',
        '',
      ],
    ],
    expected: [
      ...[
        'Content-Type: multipart/report; boundary=b',
        '',
        '--b',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 7bit',
        '',
      ],
      ...['MIME-Version: 1.0', 'Content-Type: multipart/alternative; boundary=c', '', '--c', 'Content-Type: text/html'],
      ...['Content-Transfer-Encoding: quoted-printable', '', '<p>=C3=BC</p> and so on', '--c--', '--b--', ''],
    ],
  },
  {
    name: 'raw octets in header fields become encoded words, addresses stay',
    lines: [
      'From: J\u00f6rg <j@example.org>',
      'To: "M\u00fcller, A" <a@example.org>',
      'Subject: caf\u00e9 noir',
      '',
      'x',
      '',
    ],
    expected: [
      'From: =?utf-8?B?SsO2cmc=?= <j@example.org>',
      'To: =?utf-8?B?TcO8bGxlciwgQQ==?= <a@example.org>',
      'Subject: =?utf-8?B?Y2Fmw6k=?= noir',
      '',
      'x',
      '',
    ],
  },
  {
    name: 'DKIM and multipart/signed: the signatures break, and that is told',
    lines: [
      ...['DKIM-Signature: v=1; d=example.org', 'Content-Type: multipart/signed; boundary=b', '', '--b'],
      ...[
        'Content-Type: text/plain; charset=utf-8',
        '',
        '\u00fc and some more text',
        '--b',
        'Content-Type: application/pgp-signature',
        '',
        'sig',
        '--b--',
        '',
      ],
    ],
    expected: [
      ...['DKIM-Signature: v=1; d=example.org', 'Content-Type: multipart/signed; boundary=b', '', '--b'],
      ...[
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '=C3=BC and some more text',
      ],
      ...['--b', 'Content-Type: application/pgp-signature', '', 'sig', '--b--', ''],
    ],
    broken: ['DKIM-Signature', 'multipart/signed'],
  },
  {
    name: 'quoted-printable and base64 with raw octets in them are mended',
    lines: [
      ...[
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'a=3Db \u00fc',
        '--b',
      ],
      ...['Content-Transfer-Encoding: base64', '', 'QUJD\u00fc', '--b--', ''],
    ],
    expected: [
      ...[
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'a=3Db =C3=BC',
        '--b',
      ],
      ...['Content-Transfer-Encoding: base64', '', 'QUJD', '--b--', ''],
    ],
  },
];

for (const { name, lines, expected, broken = [] } of rows) {
  test(`7-bit: ${name}`, () => {
    for (const size of [10_000, 7, 1]) {
      const { text, plan } = convert(mail(...lines), size);
      assert.equal(text, expected.join('\r\n'), `in chunks of ${size}`);
      assert.deepEqual(plan.broken, broken);
      assert.equal(plan.obstacle, undefined);
    }
  });
}

test('message/partial cannot be converted', () => {
  const { plan } = convert(mail('Content-Type: message/partial; id=x; number=1', '', 'h\u00f6', ''));
  assert.equal(plan.obstacle, 'a part of type message/partial');
});

test('7-bit content comes out as it went in', () => {
  const content = mail('Subject: x', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'a', '--b--', 'z');
  assert.equal(convert(content).text, content.toString());
});

test('a line of a megabyte is converted in pieces', () => {
  const content = mail('Content-Type: application/x-bin', '', attachment.repeat(200_000), '');
  const { text } = convert(content, 4_096);
  assert.ok(text.split('\r\n').every((line) => line.length <= 76));
  assert.ok(!/[\x80-\xff]/.test(text));
});

// What a reader of its own finds in the parts must be the same before and after.
const reader = `
import email, hashlib, sys
from email import policy
def walk(m):
    if m.is_multipart():
        return [x for p in m.get_payload() for x in walk(p)]
    return [m.get_content_type() + ' ' + hashlib.sha256(m.get_payload(decode=True) or b'').hexdigest()]
print('\\n'.join(walk(email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.compat32))))
`;
function partsOf(content: Buffer): string {
  const { stdout, status } = spawnSync('python3', ['-c', reader], {
    input: content,
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  return stdout;
}

test('another MIME reader finds the same content after the conversion', {
  skip: spawnSync('python3', ['-V']).status !== 0,
}, () => {
  const part = (type: string, body: string): string[] => [
    '--b',
    `Content-Type: ${type}`,
    'Content-Transfer-Encoding: 8bit',
    '',
    body,
  ];
  const content = Buffer.from(
    [
      ...['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', ''],
      ...part('text/plain; charset=latin1', 'F\u00e4hre = schnell \t'),
      ...part('image/jpeg', attachment),
      ...part('text/plain', ''),
      ...part('application/pdf', `${attachment}\r\n\r\n`),
      ...part(
        'message/rfc822',
        ['Subject: in', 'Content-Type: text/html; charset=latin1', '', 'g\u00fcn und so weiter', ''].join('\r\n'),
      ),
      ...['--b--', ''],
    ].join('\r\n'),
    'latin1',
  );
  assert.equal(partsOf(Buffer.from(convert(content).text, 'latin1')), partsOf(content));
});

test('an enclosed message that the delimiter cuts off before its header is empty, and no fault', () => {
  const content = mail('Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: message/rfc822', '--b--');
  assert.equal(convert(content).text, content.toString('latin1'));
});

test('whatever comes in, what goes out is 7-bit, has no longer lines, and does not depend on the chunks', () => {
  const line = fc.constantFrom(
    ...[
      '--b',
      '--b--',
      '',
      'Content-Type: multipart/mixed; boundary=b',
      'Content-Type: message/rfc822',
      'x: y',
      ' fold',
      '\u00fc\u00df',
      '=\t',
      '\r',
      '--c',
    ],
    ...[
      'Content-Type: multipart/mixed; boundary=c',
      'Content-Transfer-Encoding: base64',
      'Content-Transfer-Encoding: 8BIT',
      'Content-Type: image/png',
    ],
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 25 }), fc.integer({ min: 1, max: 9 }), (lines, size) => {
      const content = mail(...lines);
      const whole = convert(content).text;
      assert.ok(!/[\x80-\xff]/.test(whole), whole);
      assert.equal(convert(content, size).text, whole);
      // Converted once, there is nothing left to convert.
      assert.equal(convert(Buffer.from(whole, 'latin1')).plan.changes.size, 0);
    }),
    { numRuns: 500 },
  );
});

/** Every octet, with what only looks like a delimiter. */
const binary = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)), Buffer.from('\n--b\n\r--b\r')]);
const binaryParts = Buffer.concat([
  Buffer.from(
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n',
  ),
  Buffer.from('--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n'),
  binary,
  Buffer.from('\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe aus der Ferne\r\n--b--\r\n'),
]);

for (const eightBit of [false, true]) {
  test(`binary content for a hop ${eightBit ? 'with' : 'without'} 8BITMIME becomes base64 where it must`, () => {
    const whole = convert(binaryParts, undefined, { binary: true, eightBit });
    for (const size of [1, 7, 64])
      assert.equal(convert(binaryParts, size, { binary: true, eightBit }).text, whole.text);
    assert.equal(whole.plan.obstacle, undefined);
    const base64 = binary.toString('base64').replace(/.{76}/g, '$&\r\n');
    assert.ok(
      whole.text.includes(`image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--b\r\n`),
      whole.text,
    );
    assert.match(whole.text, new RegExp(`boundary=b\r\nContent-Transfer-Encoding: ${eightBit ? '8bit' : '7bit'}\r\n`));
    const text = eightBit
      ? Buffer.from('Gr\u00fc\u00dfe aus der Ferne').toString('latin1')
      : 'Gr=C3=BC=C3=9Fe aus der Ferne';
    assert.ok(whole.text.endsWith(`\r\n\r\n${text}\r\n--b--\r\n`));
  });
}

const obstacles: readonly (readonly [name: string, content: string, obstacle: string])[] = [
  [
    'a signed part',
    'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\na\0b\r\n--b\r\n\r\nsig\r\n--b--\r\n',
    'a signed part',
  ],
  ['message/partial', 'Content-Type: message/partial; id=x\r\n\r\na\0b', 'a part of type message/partial'],
  [
    'base64 that is none',
    'Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\na\0b',
    'a part of type image/png with binary octets',
  ],
  ['a header', 'Subject: a\0b\r\n\r\nx', 'a header with octets that are no text'],
];
for (const [name, content, obstacle] of obstacles) {
  test(`binary octets cannot leave without BINARYMIME: ${name}`, () => {
    assert.equal(convert(Buffer.from(content), undefined, { binary: true, eightBit: true }).plan.obstacle, obstacle);
  });
}

test('a line of 999 octets under BINARYMIME is not sent as a line', () => {
  const content = (length: number): Buffer => Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(length)}\r\n`);
  assert.equal(convert(content(998), undefined, { binary: true }).plan.changes.size, 0);
  assert.equal(convert(content(999), undefined, { binary: true }).plan.changes.get(0), 'base64');
});
