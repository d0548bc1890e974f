import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issuerText, makeChains, nameCases } from '../../certs/make.ts';
import {
  certificateNameDifference,
  type DistinguishedName,
  firstDifference,
  formatName,
  formatTlsCertificateName,
  hasCertificateName,
  parseName,
  parseTlsCertificateName,
  readCertificate,
  sameName,
} from '../../src/tls/index.ts';
import fc from '../lib/properties.ts';

const { chains } = makeChains();
const derOf = (row: string): Buffer => chains[row]?.der ?? Buffer.alloc(0);

/** As .NET prints them: most specific first, quotes where a separator stands in a value. */
const printed: Readonly<Record<string, string>> = {
  'good-rsa': 'CN=mail.edge.test, O=Edge Development, C=US',
  'multi-valued-rdn': 'OU=R&D + CN=mail.edge.test, C=US',
  'utf8-name': 'CN=mail.edge.test, O="Müller & Söhne, Köln", C=US',
  'bmp-name': 'CN=mail.edge.test, O=Müller 株式会社, C=US',
  'universal-name': 'CN=mail.edge.test, O=Müller 株式会社, C=US',
  'teletex-name': 'CN=mail.edge.test, O=Müller, C=US',
  'quoted-name': 'CN=mail.edge.test, O="Contoso, ""Inc."" <a>; b=c + d # ", C=US',
  'backslash-name': 'CN=mail.edge.test, O="Contoso\\2C Inc.", C=US',
  'domain-components': 'CN=mail.edge.test, DC=edge, DC=test',
  'repeated-units': 'CN=mail.edge.test, OU=b, OU=a',
};
for (const [row, text] of Object.entries(printed)) {
  test(`${row}: ${text}`, () => {
    const { subjectText, subject, issuer } = readCertificate(derOf(row));
    assert.equal(subjectText, text);
    assert.ok(sameName(parseName(text), subject), 'reads back');
    const wanted = parseTlsCertificateName(formatTlsCertificateName({ issuer, subject }));
    assert.ok(hasCertificateName({ issuer, subject }, wanted), 'as TlsCertificateName');
  });
}

// Every row of certs/, made by openssl, against each name that is its own and each that only looks so.
for (const { id, row, name, match } of nameCases()) {
  test(`table: ${id}`, () => {
    assert.equal(satisfies(row, name), match, name);
  });
}

function satisfies(row: string, name: string): boolean {
  try {
    return hasCertificateName(readCertificate(derOf(row)), parseTlsCertificateName(name));
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
    return false;
  }
}

test('what OpenSSL does not take is no certificate, and everything else is read', () => {
  for (const [row, { der, row: expected }] of Object.entries(chains)) {
    if (expected.unreadable === true) assert.throws(() => readCertificate(der), RangeError, row);
    else assert.ok(readCertificate(der).thumbprint, row);
  }
});

test('no certificate of the table is taken for another one with another subject', () => {
  const readable = Object.entries(chains).filter(([, { row }]) => row.unreadable !== true);
  const subjects = readable.map(([name, { der }]) => ({ name, ...readCertificate(der) }));
  for (const a of subjects) {
    for (const b of subjects) {
      if (a.subjectText === b.subjectText || /composed|utf8-name|bmp-|universal|teletex/.test(a.name + b.name))
        continue;
      assert.equal(sameName(a.subject, b.subject), false, `${a.name} and ${b.name}`);
    }
  }
});

test('a name with control characters equals itself, for what is said of chains, and no configured one', () => {
  const { subject, issuer } = readCertificate(derOf('nul-in-name'));
  assert.ok(sameName(subject, readCertificate(derOf('nul-in-name')).subject));
  assert.equal(sameName(subject, readCertificate(derOf('nul-behind-name')).subject), false);
  assert.throws(() => formatTlsCertificateName({ subject, issuer }), RangeError);
  assert.throws(() => parseTlsCertificateName(`<I>${issuerText}<S>${formatName(subject)}`), RangeError);
});

const same: readonly [string, string][] = [
  ['CN=a', 'cn=A'],
  ['CN=a, O=b', 'CN=a,O=b'],
  ['CN=a, O=b', '  CN = a ;  O = b '],
  ['CN=a  b', 'CN=a b'],
  ['CN=" a b "', 'CN=a b'],
  ['CN=MÜLLER', 'CN=müller'],
  ['CN=ΟΔΟΣ', 'CN=οδος'],
  ['CN=ДЖ', 'CN=дж'],
  ['CN=mu\u0308ller', 'CN=m\u00fcller'],
  ['CN=J\u030c', 'CN=\u01f0'],
  ['CN=a + OU=b', 'OU=b + CN=a'],
  ['S=Bavaria', 'ST=bavaria'],
  ['E=a@b', 'EMAILADDRESS=A@B'],
  ['UID=u', '0.9.2342.19200300.100.1.1=u'],
  ['CN=a', 'OID.2.5.4.3=a'],
  ['CN=a', '2.5.4.3=a'],
  ['O="Contoso, Inc."', 'O="contoso, inc."'],
  ['O=Contoso\\, Inc.', 'O="Contoso, Inc."'],
  ['O=Contoso\\2C Inc.', 'O="Contoso, Inc."'],
  ['O=Contoso \\"Inc\\"', 'O="Contoso ""Inc"""'],
  ['O=\\#1', 'O="#1"'],
  ['O=a\\\\b', 'O="a\\b"'],
  ['O=a\\b', 'O="a\\b"'],
  ['O=a=b', 'O="a=b"'],
  ['O=a\\3Db\\=c', 'O="a=b=c"'],
  ['O=M\\C3\\BCller', 'O=Müller'],
  ['O=\\ a\\ ', 'O=a'],
  ['O=a \\+ b\\;', 'O="a + b;"'],
  ['O=\\<S\\>', 'O="<S>"'],
  ['O=#0C024869', 'O=Hi'],
  ['O=#1e0400480069', 'O=Hi'],
  ['CN=a O=b=c', 'CN="a O=b=c"'],
];
for (const [a, b] of same)
  test(`${a} is ${b}`, () => assert.equal(firstDifference(parseName(a), parseName(b)), undefined));

// The faults of comparing names as text, or step by step without the steps.
const different: readonly [string, string][] = [
  ['CN=a, O=b', 'O=b, CN=a'],
  ['CN=a, O=b', 'CN=a'],
  ['CN=a, O=b', 'CN=a + O=b'],
  ['CN="a, O=b"', 'CN=a, O=b'],
  ['CN="a + OU=b"', 'CN=a + OU=b'],
  ['CN=a', 'OU=a'],
  ['OU=a, OU=b', 'OU=b, OU=a'],
  ['OU=a, OU=b', 'OU=a + OU=b'],
  ['CN=ab', 'CN=a b'],
  ['CN=a', 'CN=a, CN=a'],
  ['CN=a + CN=a', 'CN=a'],
  ['', 'CN=""'],
  ['CN=mail.a.test', 'CN=mail.a.test.evil'],
  ['CN=ä', 'CN=a'],
  ['CN=\u212bngstrom', 'CN=\u00c5ngstrom'],
  ['CN=\u00b5', 'CN=\u03bc'],
  ['CN=a\u037e', 'CN="a;"'],
  ['CN=\uf900', 'CN=\u8c48'],
  ['O="a\\2Cb"', 'O="a,b"'],
];
for (const [a, b] of different) {
  test(`${a || '(empty)'} is not ${b}`, () => {
    assert.equal(sameName(parseName(a), parseName(b)), false);
    assert.notEqual(firstDifference(parseName(a), parseName(b)) ?? '', '');
    assert.notEqual(firstDifference(parseName(b), parseName(a)) ?? '', '');
  });
}

const noNames = [
  'CN',
  'CN=a, ',
  'CN=a,,O=b',
  '=a',
  'XX=a',
  'CN="a',
  'CN="a"b',
  'CN=a"b"',
  'CN=a<b',
  'OID.=a',
  '1=a',
  'CN=a\0b',
  'CN=a\\00b',
  'CN=a\nb',
  'CN=a\x7f',
  'CN="a\u0085"',
  'CN=\ufffd',
  'CN=\ue000',
  'CN=\ud800',
  'CN=\\C3',
  'CN=\\FF',
  'CN=#',
  'CN=#zz',
  'CN=#0C0341',
  'CN=#0C034100',
  'CN=#1E03004100',
  'CN=#04024869',
];
for (const text of noNames) {
  test(`no name: ${JSON.stringify(text)}`, () => assert.throws(() => parseName(text), RangeError));
}

const attributeValue = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => !/[\p{Cs}\p{Cc}\p{Co}\p{Cn}\p{Zl}\p{Zp}\ufffd]/u.test(text));

test('any name survives print and parse', () => {
  const attribute = fc.record(
    {
      oid: fc.constantFrom(
        '2.5.4.3',
        '2.5.4.10',
        '2.5.4.8',
        '1.2.840.113549.1.9.1',
        '1.2.3.4',
        '0.9.2342.19200300.100.1.1',
      ),
      value: fc.oneof(
        attributeValue,
        fc.string({ unit: fc.constantFrom('\\', '"', '#', ' ', ',', '2', 'C', '<', '='), maxLength: 8 }),
      ),
    },
    { noNullPrototype: true },
  );
  const name = fc.array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(name, (steps: DistinguishedName) => {
      const text = formatName(steps);
      assert.deepEqual(parseName(text), steps, text);
      if (steps.length === 0) return;
      const pair = parseTlsCertificateName(`<I>${text}<S>${text}`);
      assert.deepEqual(pair, { issuer: steps, subject: steps });
    }),
    { numRuns: 500 },
  );
});

/** What a stranger can write instead of a character so that people do not see it. */
const lookAlikes: Readonly<Record<string, readonly string[]>> = {
  a: ['\u0430', '\u03b1', '\uff41', '\u00aa', 'a\u0301', 'a\u200d', '\u{1d41a}'],
  c: ['\u0441', '\u03f2', '\uff43', '\u217d', 'c\u0327'],
  e: ['\u0435', '\uff45', '\u212f', '\u00e9'],
  f: ['\uff46', '\ufb00'],
  i: ['\u0131', '\u0130', '\u0456', '\uff49', '\u2170', 'l', '1', '\u00ec'],
  k: ['\u212a', '\u03ba', '\uff4b', '\u{1d424}'],
  l: ['I', '1', '\u217c', '\uff4c'],
  n: ['\uff4e', '\u207f', 'n\u0303', '\u00f1'],
  o: ['0', '\u043e', '\u03bf', '\uff4f', '\u00ba', '\u00f6'],
  r: ['\uff52', 'r\u00ad'],
  s: ['\u017f', '\u0455', '\uff53', '\u02e2'],
  t: ['\uff54', 't\0', 't\u200b', 't\ufeff', 't\u2060'],
  ' ': ['\u00a0', '\u3000', '\t', '\u2003', '', '\u202f', '\r\n', ' \u200b'],
  '.': ['\uff0e', '\u3002', '\u2024', '.\0', '..'],
  '-': ['\u2010', '\u2212', '\u00ad', '\ufe63'],
};

test('different names that look alike never match', () => {
  const word = fc.string({ unit: fc.constantFrom(...Object.keys(lookAlikes)), minLength: 3, maxLength: 16 });
  const insertion = fc.constantFrom(
    '\0',
    '\x01',
    '\x1b[2K',
    '\x7f',
    '\u0085',
    '\u200b',
    '\u200e',
    '\u202e',
    '\u2066',
    '\ufe0f',
    '\ufffd',
    '\u034f',
    '\u{e0041}',
  );
  fc.assert(
    fc.property(word, fc.nat(), fc.nat(), fc.option(insertion), fc.boolean(), (text, at, which, inserted, capitals) => {
      const index = at % text.length;
      const options = lookAlikes[text[index] ?? ''] ?? [];
      const replacement =
        inserted === null ? (options[which % options.length] ?? '') : `${text[index] ?? ''}${inserted}`;
      const disguised = text.slice(0, index) + replacement + text.slice(index + 1);
      // A blank more or less beside another one, or at an end, says the same by RFC 4518 §2.6.1.
      fc.pre(disguised.replace(/ +/g, ' ').trim() !== text.replace(/ +/g, ' ').trim());
      const shown: DistinguishedName = [[{ oid: '2.5.4.10', value: capitals ? disguised.toUpperCase() : disguised }]];
      fc.pre(!/[\u017f\u0131\u00ba\u00aa]/.test(disguised) || !capitals);
      const expected = parseName(`O="${text}"`);
      assert.equal(sameName(shown, expected), false, JSON.stringify([disguised, text]));
      assert.notEqual(firstDifference(expected, shown), undefined);
    }),
    { numRuns: 3000 },
  );
});

test('two steps of a name never run into each other, whatever they hold', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '\n', '\0', '"', ',', '2.5.4.3', '\\'), maxLength: 6 });
  const attribute = fc.record({ oid: fc.constantFrom('2.5.4.3', '2.5.4.10'), value }, { noNullPrototype: true });
  const step = fc.array(attribute, { minLength: 1, maxLength: 3 });
  const keyOf = (name: DistinguishedName): string =>
    JSON.stringify(name.map((one) => one.map(({ oid, value: text }) => JSON.stringify([oid, text])).sort()));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3 }), fc.array(step, { maxLength: 3 }), (a, b) => {
      assert.equal(sameName(a, b), keyOf(a) === keyOf(b));
    }),
    { numRuns: 2000 },
  );
});

test('the first difference is told attribute by attribute', () => {
  const of = (expected: string, found: string): string | undefined =>
    firstDifference(parseName(expected), parseName(found));
  assert.equal(of('CN=a, O=b', 'CN=a, O=c'), "step 2: expected O=b, found O=c (character 1: expected 'b', found 'c')");
  assert.equal(of('CN=a, O=b', 'CN=a, OU=b'), 'step 2: expected O=b, found OU=b');
  assert.equal(of('CN=a, O=b', 'CN=a'), 'step 2: expected O=b, found the end of the name');
  assert.equal(of('CN=a', 'CN=a, O=b'), 'step 2: nothing expected, found O=b');
  assert.match(of('C=US, CN=a', 'CN=a, C=US') ?? '', /the same steps in the opposite order/);
  assert.match(of('CN=kontoso', 'CN=\u212aontoso') ?? '', /expected 'k', found U\+212A/);
  const issuer = parseName('CN=x');
  const wanted = { issuer, subject: parseName('CN=a') };
  assert.match(certificateNameDifference({ issuer, subject: parseName('CN=b') }, wanted) ?? '', /^subject, step 1: /);
  assert.match(certificateNameDifference({ issuer: [], subject: wanted.subject }, wanted) ?? '', /^issuer, step 1: /);
});

test('TlsCertificateName of the documentation', () => {
  const { issuer, subject } = parseTlsCertificateName("<I>CN=R3, O=Let's Encrypt, C=US<S>CN=mail.example.com");
  assert.equal(formatName(issuer), "CN=R3, O=Let's Encrypt, C=US");
  assert.equal(formatName(subject), 'CN=mail.example.com');
  const tricky = '<I>O="a <S> b", OU=\\<S\\><S>CN=c';
  assert.equal(formatName(parseTlsCertificateName(tricky).issuer), 'O="a <S> b", OU="<S>"');
});

for (const text of [
  '',
  'CN=a',
  '<I>CN=a',
  '<S>CN=a',
  '<I>CN=a<S>CN=b<S>CN=c',
  '<S>CN=a<I>CN=b',
  '<I>a<S>b',
  '<I>CN=a<S>',
  '<I>CN=a<S> ',
  '<I><S>CN=a',
  '0123456789ABCDEF',
]) {
  test(`no TlsCertificateName: ${text}`, () => assert.throws(() => parseTlsCertificateName(text), RangeError));
}

test('a hostile name takes linear time', () => {
  const texts = [
    `CN="${'""'.repeat(200_000)}`,
    `CN=${'a'.repeat(400_000)}"`,
    `CN=${'\\'.repeat(400_001)}`,
    `CN=${' '.repeat(400_000)}"`,
    `${'CN=a+'.repeat(80_000)}`,
    `<I>${'"'.repeat(400_001)}<S>`,
    `<I>${'\\'.repeat(400_001)}<S>`,
  ];
  // Of what takes quadratic time, one would take minutes.
  for (const text of texts) {
    for (const parse of [parseTlsCertificateName, parseName]) {
      try {
        parse(text);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }
  }
});
