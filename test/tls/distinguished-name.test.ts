import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeChains } from '../../certs/make.ts';
import {
  type DistinguishedName,
  formatName,
  formatTlsCertificateName,
  parseName,
  parseTlsCertificateName,
  readCertificate,
  sameName,
} from '../../src/tls/index.ts';

const { chains } = makeChains();

/** As .NET prints them: most specific first, quotes where a separator stands in a value. */
const printed: Readonly<Record<string, string>> = {
  'good-rsa': 'CN=mail.edge.test, O=Edge Development, C=US',
  'multi-valued-rdn': 'OU=R&D + CN=mail.edge.test, C=US',
  'utf8-name': 'CN=mail.edge.test, O="Müller & Söhne, Köln", C=DE',
  'bmp-name': 'CN=mail.edge.test, O=Müller 株式会社',
  'quoted-name': 'CN=mail.edge.test, O="Contoso, ""Inc."" <a>; b=c + d # "',
  'domain-components': 'CN=mail.edge.test, DC=edge, DC=test',
  'repeated-units': 'CN=mail.edge.test, OU=b, OU=a',
  'empty-subject': '',
};
for (const [name, text] of Object.entries(printed)) {
  test(`${name}: ${text}`, () => {
    const facts = readCertificate(chains[name]?.leaf.raw ?? '');
    assert.equal(facts.subjectText, text);
    assert.ok(sameName(parseName(text), facts.subject), 'reads back');
    const wanted = parseTlsCertificateName(formatTlsCertificateName(facts));
    assert.ok(
      sameName(wanted.issuer, facts.issuer) && sameName(wanted.subject, facts.subject),
      'as TlsCertificateName',
    );
  });
}

test('no certificate is taken for another', () => {
  const all = Object.keys(printed).map((name) => readCertificate(chains[name]?.leaf.raw ?? '').subject);
  for (const [i, a] of all.entries()) {
    for (const [j, b] of all.entries()) assert.equal(sameName(a, b), i === j);
  }
});

const same: readonly [string, string][] = [
  ['CN=a', 'cn=A'],
  ['CN=a, O=b', 'CN=a,O=b'],
  ['CN=a, O=b', '  CN = a ;  O = b '],
  ['CN=a  b', 'CN=a b'],
  ['CN=" a b "', 'CN=a b'],
  ['CN=STRASSE', 'CN=Straße'],
  ['CN=MÜLLER', 'CN=müller'],
  ['CN=mu\u0308ller', 'CN=m\u00fcller'],
  ['CN=ＡＢＣ', 'CN=abc'],
  ['CN=a\u00adb', 'CN=ab'],
  ['CN=a + OU=b', 'OU=b + CN=a'],
  ['S=Bavaria', 'ST=bavaria'],
  ['E=a@b', 'EMAILADDRESS=A@B'],
  ['CN=a', 'OID.2.5.4.3=a'],
  ['CN=a', '2.5.4.3=a'],
  ['O="Contoso, Inc."', 'O="contoso, inc."'],
];
for (const [a, b] of same) test(`${a} is ${b}`, () => assert.ok(sameName(parseName(a), parseName(b))));

// The faults of comparing names as text, or step by step without the steps.
const different: readonly [string, string][] = [
  ['CN=a, O=b', 'O=b, CN=a'],
  ['CN=a, O=b', 'CN=a'],
  ['CN=a, O=b', 'CN=a + O=b'],
  ['CN=a + O=b', 'CN=a, O=b'],
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
];
for (const [a, b] of different)
  test(`${a || '(empty)'} is not ${b}`, () => assert.equal(sameName(parseName(a), parseName(b)), false));

for (const text of [
  'CN',
  'CN=a, ',
  'CN=a,,O=b',
  '=a',
  'XX=a',
  'CN="a',
  'CN="a"b',
  'CN=a"b"',
  'CN=a O=b=c',
  'OID.=a',
  '1=a',
]) {
  test(`no name: ${text}`, () => assert.throws(() => parseName(text), RangeError));
}

test('any name survives print and parse', () => {
  const value = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[\p{Cs}\p{Cc}]/u.test(text));
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
      value,
    },
    { noNullPrototype: true },
  );
  const name = fc.array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(name, (steps: DistinguishedName) => {
      const text = formatName(steps);
      assert.deepEqual(parseName(text), steps, text);
      const pair = parseTlsCertificateName(`<I>${text}<S>${text}`);
      assert.deepEqual(pair, { issuer: steps, subject: steps });
    }),
    { numRuns: 500 },
  );
});

test('TlsCertificateName of the documentation', () => {
  const { issuer, subject } = parseTlsCertificateName("<I>CN=R3, O=Let's Encrypt, C=US<S>CN=mail.example.com");
  assert.equal(formatName(issuer), "CN=R3, O=Let's Encrypt, C=US");
  assert.equal(formatName(subject), 'CN=mail.example.com');
  const tricky = '<I>O="a <S> b"<S>CN=c';
  assert.equal(formatName(parseTlsCertificateName(tricky).issuer), 'O="a <S> b"');
});

for (const text of [
  '',
  'CN=a',
  '<I>CN=a',
  '<S>CN=a',
  '<I>CN=a<S>CN=b<S>CN=c',
  '<S>CN=a<I>CN=b',
  '<I>a<S>b',
  '0123456789ABCDEF',
]) {
  test(`no TlsCertificateName: ${text}`, () => assert.throws(() => parseTlsCertificateName(text), RangeError));
}

test('a hostile name takes linear time', () => {
  const started = performance.now();
  for (const text of [
    `CN="${'""'.repeat(50_000)}`,
    `CN=${'a'.repeat(100_000)}"`,
    `${'CN=a+'.repeat(20_000)}`,
    `<I>${'"'.repeat(100_001)}<S>`,
  ]) {
    assert.throws(() => parseTlsCertificateName(text), RangeError);
    assert.throws(() => parseName(text), RangeError);
  }
  assert.ok(performance.now() - started < 1000);
});
