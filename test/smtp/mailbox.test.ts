import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressError, parseDomain, parseMailbox, parsePath, renderPath } from '../../src/smtp/index.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';

/** Address as given, and as it goes on; equal when the second is absent. */
const valid: readonly (readonly [string, string?])[] = [
  ['user@example.com'],
  ['User@EXAMPLE.com', 'User@example.com'],
  ['first.last@example.com'],
  ['first.m.last@sub.domain.example.com'],
  ['a@b'],
  ['a@localhost'],
  ['user+tag@example.com'],
  ['user=tag@example.com'],
  ['user-name@example.com'],
  ['_user@example.com'],
  ['1234567890@example.com'],
  ["!#$%&'*+/=?^_`{|}~-@example.com"],
  ["o'neill@example.com"],
  ['user%other.example@example.com'],
  ['a!b!c@example.com'],
  ['prvs=1234abcdef=user@example.com'],
  ['SRS0=HHH=TT=example.org=alice@example.com'],
  ['IMCEAEX-_O=EXCH_OU=ADMIN+20GROUP_CN=RECIPIENTS_CN=USER@example.com'],
  ['bounce+user=example.org@example.com'],
  [`${'a'.repeat(64)}@example.com`],
  [`${'a'.repeat(315)}@example.com`],
  ['postmaster@example.com'],
  ['abuse@example.co.uk'],
  ['x@1und1.de'],
  ['x@3com.com'],
  ['x@a-b.example'],
  ['user@exam_ple.com'],
  ['user@_dmarc.example'],
  ['user@foo_.bar_'],
  ['x@mün_chen.de', 'x@xn--mn_chen-n2a.de'],
  ['x@a--b.example'],
  ['x@example.x1'],
  ['x@123.example'],
  ['x@xn--mnchen-3ya.de'],
  ['x@XN--MNCHEN-3YA.de', 'x@xn--mnchen-3ya.de'],
  ['x@münchen.de', 'x@xn--mnchen-3ya.de'],
  ['x@MÜNCHEN.de', 'x@xn--mnchen-3ya.de'],
  ['x@mu\u0308nchen.de', 'x@xn--mnchen-3ya.de'],
  ['x@straße.example', 'x@xn--strae-oqa.example'],
  ['x@例え.テスト', 'x@xn--r8jz45g.xn--zckzah'],
  ['x@пример.испытание', 'x@xn--e1afmkfd.xn--80akhbyknj4f'],
  ['ü@example.com'],
  ['jörg.müller@example.com'],
  ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
  ['"ü ß"@example.com'],
  ['"a b"@example.com'],
  ['"a@b"@example.com'],
  ['"a@b@c"@example.com'],
  ['"user"@example.com', 'user@example.com'],
  ['"first.last"@example.com', 'first.last@example.com'],
  ['"first..last"@example.com'],
  ['".first"@example.com'],
  ['"last."@example.com'],
  ['""@example.com'],
  ['" "@example.com'],
  ['"a\\"b"@example.com'],
  ['"a\\\\b"@example.com'],
  ['"\\a\\b"@example.com', 'ab@example.com'],
  ['"a\\ b"@example.com', '"a b"@example.com'],
  ['"<script>"@example.com'],
  ['"a,b;c:d"@example.com'],
  ['"x@foreign.invalid x"@example.test'],
  ['user@[192.0.2.1]'],
  ['user@[255.255.255.255]'],
  ['user@[IPv6:2001:db8::1]'],
  ['user@[ipv6:2001:DB8:0:0:0:0:0:1]', 'user@[IPv6:2001:db8::1]'],
  ['user@[IPv6:::]'],
  ['user@[IPv6:::1]'],
  ['"a b"@[192.0.2.1]'],
  [`a@${'b'.repeat(63)}.example`],
];
for (const [text, expected = text] of valid) {
  test(`valid: ${text.slice(0, 60)}`, () => assert.equal(parseMailbox(text).address, expected));
}

const invalid: readonly string[] = [
  '',
  ' ',
  '@',
  'user',
  'user@',
  '@example.com',
  'user@@example.com',
  'a@b@example.com',
  'x@foreign.invalid x@example.test',
  'x@foreign.invalid,x@example.test',
  'x@foreign.invalid;x@example.test',
  'x@foreign.invalid\tx@example.test',
  'x@foreign.invalid>x@example.test',
  'x@foreign.invalid> <x@example.test',
  '<x@example.test>',
  'X <x@example.test>',
  'x@example.test (comment)',
  '(comment)x@example.test',
  'x(comment)@example.test',
  'group:x@example.test;',
  'mailto:x y@example.test',
  ' user@example.com',
  'user@example.com ',
  'user @example.com',
  'user@ example.com',
  'us er@example.com',
  'user@exam ple.com',
  'user\r\n@example.com',
  'user@example.com\r\nRCPT TO:<b@c>',
  'user@example.com\n',
  'user\0@example.com',
  'user@example.com\0',
  'user\x7f@example.com',
  '"a\r\nb"@example.com',
  '"a\0b"@example.com',
  '"a\tb"@example.com',
  '.user@example.com',
  'user.@example.com',
  'us..er@example.com',
  'us,er@example.com',
  'us;er@example.com',
  'us:er@example.com',
  'us<er@example.com',
  'us>er@example.com',
  'us(er@example.com',
  'us)er@example.com',
  'us[er@example.com',
  'us]er@example.com',
  'us\\er@example.com',
  'us"er@example.com',
  '"user@example.com',
  'user"@example.com',
  '"us"er@example.com',
  '"us"."er"@example.com',
  'a."b"@example.com',
  '"a"b"@example.com',
  '"a\\"@example.com',
  '"a" @example.com',
  'user@.example.com',
  'user@example.com.',
  'user@example..com',
  'user@-example.com',
  'user@example-.com',
  'user@example.-com',
  'user@exam!ple.com',
  'user@exam%70le.com',
  'user@example.com/path',
  'user@example.com:25',
  'user@user@example.com',
  'user@127.0.0.1',
  'user@127.1',
  'user@2130706433',
  'user@0x7f000001',
  'user@example.0x7f',
  'user@１２７.０.０.１',
  'user@example。com',
  'user@ｅxample.com',
  'user@exam\u00adple.com',
  'user@exam\u200bple.com',
  'user@example\u2024com',
  'user@\u0300example.com',
  'user@[]',
  'user@[127.0.0.1',
  'user@127.0.0.1]',
  'user@[127.0.0.256]',
  'user@[127.0.0]',
  'user@[127.0.0.01]',
  'user@[0x7f.0.0.1]',
  'user@[2001:db8::1]',
  'user@[IPv6:2001:db8::g]',
  'user@[IPv6:fe80::1%eth0]',
  'user@[IPv6:1::2::3]',
  'user@[IPv6:]',
  'user@[X400:abc]',
  'user@[[127.0.0.1]]',
  'user@[127.0.0.1].example',
  'user@[127.0.0.1]@example.com',
  `${'a'.repeat(316)}@example.com`,
  `a@${'b'.repeat(64)}.example`,
  `a@${'abcdefg.'.repeat(32)}example`,
  'us\u0085er@example.com',
  'us\u00a0er@example.com',
  'us\u2028er@example.com',
  'us\u3000er@example.com',
  'us\ufffder@example.com',
  'us\ud800er@example.com',
  'us\uffffer@example.com',
  '@route.example:user@example.com',
  'Postmaster',
];
for (const text of invalid) {
  test(`invalid: ${shown(text)}`, () => assert.throws(() => parseMailbox(text), AddressError));
}

test('the tables are as large as they should be', () => {
  assert.ok(new Set(invalid).size >= 100, `${new Set(invalid).size}`);
  assert.ok(new Set(valid.map(([text]) => text)).size >= 60);
});

test('local part, domain and utf8 stand apart', () => {
  assert.deepEqual(parseMailbox('"a \\"b"@Example.COM'), {
    localPart: 'a "b',
    domain: 'example.com',
    address: '"a \\"b"@example.com',
    utf8: false,
  });
  assert.equal(parseMailbox('ü@example.com').utf8, true);
  assert.equal(parseMailbox('x@münchen.de').utf8, false, 'A-labels need no SMTPUTF8');
  assert.deepEqual(parseDomain('[192.0.2.1]'), { name: '[192.0.2.1]', literal: true });
});

const paths: readonly [string, string | null, string][] = [
  ['<>', null, ''],
  ['<> SIZE=1', null, ' SIZE=1'],
  ['<a@example.com>', 'a@example.com', ''],
  ['<a@example.com>x', 'a@example.com', 'x'],
  ['<"a>b"@example.com> SIZE=1', '"a>b"@example.com', ' SIZE=1'],
  ['<"a\\">b"@example.com>', '"a\\">b"@example.com', ''],
  ['<Postmaster>', 'Postmaster', ''],
  ['<postMASTER>', 'postMASTER', ''],
  ['<@relay.example:a@example.com>', 'a@example.com', ''],
  ['<@r1.example,@r2.example:a@example.com>', 'a@example.com', ''],
  ['<@[192.0.2.1]:a@example.com>', 'a@example.com', ''],
  ['<@[IPv6:2001:db8::1],@r.example:a@example.com>', 'a@example.com', ''],
];
for (const [text, address, rest] of paths) {
  test(`path ${text}`, () => {
    const path = parsePath(text);
    assert.equal(path.mailbox?.address ?? null, address);
    assert.equal(path.rest, rest);
  });
}

const badPaths: readonly string[] = [
  '',
  'a@example.com',
  '<a@example.com',
  '<"a>@example.com>',
  '<a@example.com\r\n>',
  '< >',
  '< a@example.com>',
  '<a@example.com >',
  '<<a@example.com>>',
  '<abuse>',
  '<@relay.example>',
  '<@relay.example:>',
  '<@relay.example,a@example.com>',
  '<@relay.example,:a@example.com>',
  '<@:a@example.com>',
  '<@bad domain:a@example.com>',
  '<@a@b:c@example.com>',
  `<${'@r.example,'.repeat(300)}@r.example:a@example.com>`,
];
for (const text of badPaths) {
  test(`no path: ${text.slice(0, 50)}`, () => assert.throws(() => parsePath(text), AddressError));
}

/** Octets of the longest path that is read. */
const longestPath = 2048;

test('what is wrong with a path is said', () => {
  const reasons: readonly (readonly [path: string, reason: RegExp])[] = [
    ['u@a.example>', /does not begin with '<'/],
    ['<u@a.example', /does not end with '>'/],
    ['<', /does not end with '>'/],
    ['<"u@a.example>', /does not end with '>'/],
    [`<${'u'.repeat(longestPath - 1)}`, /does not end with '>'/],
    [`<${'u'.repeat(longestPath - 1)}>`, /too long/],
    [`<${'u'.repeat(longestPath)}`, /too long/],
    ['<a.example@b.example:u@c.example>', /./],
    ['<@a.example,b.example:u@c.example>', /route is not well-formed/],
    ['<@a.example;@b.example:u@c.example>', /./],
  ];
  for (const [path, message] of reasons)
    assert.throws(() => parsePath(path), { name: 'AddressError', message }, path.slice(0, 40));
});

test('renderPath lets nothing but one mailbox through', () => {
  assert.equal(renderPath(''), '<>');
  assert.equal(renderPath('a@EXAMPLE.com'), '<a@example.com>');
  assert.equal(renderPath('"a>b"@example.com'), '<"a>b"@example.com>');
  for (const text of ['a@b>\r\nDATA', 'a@b> SIZE=1', 'a@b c@d', 'a', '>', '> <a@b']) {
    assert.throws(() => renderPath(text), AddressError, text);
  }
});

test('an address spelled as it is kept is read as in any other spelling', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'z', '0', '9', '-', '_', '.', 'x', '+', '~'), maxLength: 70 });
  const judged = (text: string): unknown => {
    try {
      return parseMailbox(text);
    } catch (error) {
      assert.ok(error instanceof AddressError);
      return error.message;
    }
  };
  fc.assert(
    fc.property(part, part, part, (local, name, top) => {
      const domain = `${name}.${top}`;
      // Capital letters in the domain: the long way.
      assert.deepEqual(judged(`${local}@${domain}`), judged(`${local}@${domain.toUpperCase()}`));
    }),
    { numRuns: 2_000 },
  );
  for (const text of [...valid.map(([address]) => address), ...invalid]) {
    const at = text.lastIndexOf('@');
    if (/[^\0-\x7f]/.test(text) || text.includes('[')) continue;
    assert.deepEqual(judged(text), judged(text.slice(0, at) + text.slice(at).toUpperCase()), text);
  }
});

test('any local part survives printing and reading', () => {
  const localPart = fc
    .string({
      unit: fc.constantFrom(...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)), 'ü', 'ж', '字', '😀'),
    })
    .filter((text) => Buffer.byteLength(text) < 140);
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"@example.com`;
  fc.assert(
    fc.property(localPart, (text) => {
      const mailbox = parseMailbox(quoted(text));
      assert.equal(mailbox.localPart, text);
      assert.deepEqual(parseMailbox(mailbox.address), mailbox);
      assert.deepEqual(parsePath(renderPath(mailbox.address)).mailbox, mailbox);
    }),
  );
});

test('whatever is accepted has one unquoted @ and no octet that ends a command or path', () => {
  const piece = fc.constantFrom(
    'a',
    '@',
    '"',
    '\\',
    ' ',
    '.',
    '<',
    '>',
    ',',
    '[',
    ']',
    'b.c',
    '\r',
    '\n',
    '1',
    'ü',
    ':',
    '-',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('');
      let address: string;
      try {
        address = parseMailbox(text).address;
      } catch (error) {
        assert.ok(error instanceof AddressError, String(error));
        return;
      }
      assert.doesNotMatch(address, /[\r\n\0]/);
      const bare = address.replace(/"(?:[^"\\]|\\.)*"/g, '');
      assert.equal(bare.split('@').length, 2, address);
      assert.doesNotMatch(bare, /[ <>,;]/);
    }),
    { numRuns: 3000 },
  );
});

test('hostile lengths cost no more than linear time', () => {
  const worked = cpuTime();
  for (const text of [
    'a.'.repeat(50_000),
    `"${'\\'.repeat(99_999)}`,
    `${'a'.repeat(100_000)}@`,
    `a@${'a.'.repeat(50_000)}`,
    `a@${'-'.repeat(99_999)}`,
  ]) {
    assert.throws(() => parseMailbox(text), AddressError);
    assert.throws(() => parsePath(`<${text}>`), AddressError);
  }
  assert.ok(worked() < 1000, `${worked()} ms`);
});

/** As a title: nothing in it may look like the end of a line to whoever reads the results. */
function shown(text: string): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text)
    .slice(0, 60)
    .replaceAll(/[^ -~]/g, escaped);
}
