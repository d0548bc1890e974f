import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dn, escapeDnValue, isBelow, LdapError, parentKey, parseRdn } from '../../src/ldap/index.ts';
import fc from '../lib/properties.ts';
import { productSchema } from './schema-of-the-product.ts';

const schema = productSchema();
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

// A name as written, and as RFC 4514 writes it back; undefined: refused with invalidDNSyntax.
const texts: readonly (readonly [text: string, written: string | undefined])[] = [
  ['', ''],
  ['   ', ''],
  ['cn=x', 'cn=x'],
  ['CN=Steve Kille,O=Isode Limited,C=GB', 'CN=Steve Kille,O=Isode Limited,C=GB'],
  ['UID=jsmith , DC=example ,DC=net', 'UID=jsmith,DC=example,DC=net'],
  ['OU=Sales+CN=J.  Smith,DC=example', 'OU=Sales+CN=J.  Smith,DC=example'],
  ['CN=James \\"Jim\\" Smith\\, III,DC=net', 'CN=James \\"Jim\\" Smith\\, III,DC=net'],
  ['CN=Before\\0dAfter,DC=net', 'CN=Before\\0DAfter,DC=net'],
  ['1.3.6.1.4.1.1466.0=#04024869,O=Test', '1.3.6.1.4.1.1466.0=Hi,O=Test'],
  ['OID.2.5.4.3=x', '2.5.4.3=x'],
  ['CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'],
  ['cn="quoted, with comma" , o=x', 'cn=quoted\\, with comma,o=x'],
  ['cn="with \\" mark"', 'cn=with \\" mark'],
  ['cn=a;o=b', 'cn=a,o=b'],
  ['cn=\\ lead and trail\\ ', 'cn=\\ lead and trail\\ '],
  ['cn=trail\\\\ ', 'cn=trail\\\\'],
  ['cn=a\\20 ', 'cn=a\\ '],
  ['cn=\\#hash', 'cn=\\#hash'],
  ['cn=a#b', 'cn=a#b'],
  ['cn=a=b', 'cn=a=b'],
  ['cn=', 'cn='],
  ['cn=,o=x', 'cn=,o=x'],
  ['cn=\\00', 'cn=\\00'],
  ['cn=\\ff\\fe', 'cn=\\FF\\FE'],
  [
    'CN=Default internal receive connector EDGE\\0ADEL:1,CN=x',
    'CN=Default internal receive connector EDGE\\0ADEL:1,CN=x',
  ],
  ['CN={4b1a2f3e-0000-0000-0000-000000000000}', 'CN={4b1a2f3e-0000-0000-0000-000000000000}'],
  ['foo', undefined],
  ['=x', undefined],
  ['cn=a,', undefined],
  [',cn=a', undefined],
  ['cn=a,,o=b', undefined],
  ['cn=a+', undefined],
  ['cn=a"b', undefined],
  ['cn=a<b', undefined],
  ['cn=a\\', undefined],
  ['cn=a\\q', undefined],
  ['cn="open', undefined],
  ['cn="a"b', undefined],
  ['cn=#04', undefined],
  ['cn=#0', undefined],
  ['cn=#zz', undefined],
  ['cn=#0402486900', undefined],
  ['cn=#048048690000', undefined],
  ['1..2=x', undefined],
  ['2.05=x', undefined],
  ['c n=x', undefined],
  ['<GUID=4b1a2f3e>', undefined],
  [`${'cn=a,'.repeat(300)}cn=a`, undefined],
];
for (const [text, written] of texts) {
  test(`the name '${text.slice(0, 60)}' ${written === undefined ? 'is refused' : `is written '${written}'`}`, () => {
    if (written !== undefined) return assert.equal(Dn.parse(text).toString(), written);
    assert.throws(
      () => Dn.parse(text),
      (error) => error instanceof LdapError && error.code === 'invalidDNSyntax',
    );
  });
}

// Two names and whether RFC 4517 §4.2.15 calls them equal.
const pairs: readonly (readonly [left: string, right: string, equal: boolean])[] = [
  ['cn=a,o=b', 'CN=A,O=B', true],
  ['cn=a,o=b', '2.5.4.3=a , 2.5.4.10=b', true],
  ['cn=a,o=b', 'commonName=a,organizationName=b', true],
  ['cn=a b,o=x', 'cn=  A   B ,o=x', true],
  ['cn=a+sn=b,o=x', 'SN=B+CN=A,o=x', true],
  ['cn=a+sn=b,o=x', 'cn=a,o=x', false],
  ['cn=a\\,b', 'cn="a,b"', true],
  ['cn=#0c0161', 'cn=a', true],
  ['cn=Straße', 'cn=STRASSE', true],
  ['cn=\\C3\\A9', 'cn=e\\CC\\81', true],
  ['cn=a,o=b', 'o=b,cn=a', false],
  ['cn=a', 'sn=a', false],
  ['cn=a,o=b', 'cn=a\\,o=b', false],
  ['cn=a\\00b', 'cn=ab', true],
  ['dc=EXAMPLE', 'dc=example', true],
  ['cn=a\\+sn\\=b', 'cn=a+sn=b', false],
  ['member=cn\\=A\\,o\\=B', 'member=CN\\=a\\, O\\=b', true],
];
for (const [left, right, equal] of pairs) {
  test(`'${left}' and '${right}' are ${equal ? 'equal' : 'different'}`, () => {
    assert.equal(schema.keyOf(Dn.parse(left)).equals(schema.keyOf(Dn.parse(right))), equal);
  });
}

const value = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }),
);
const octets = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const rdn = fc.array(
  plain({
    type: fc.constantFrom('cn', 'OU', '2.5.4.10', 'x-unknown'),
    value: fc.oneof(
      value.map((text) => Buffer.from(text)),
      octets,
    ),
  }),
  { minLength: 1, maxLength: 3 },
);

test('any octets survive writing and reading', () => {
  fc.assert(
    fc.property(fc.array(rdn, { maxLength: 5 }), (rdns) => {
      const again = Dn.parse(new Dn(rdns).toString());
      assert.deepEqual(again.rdns, rdns);
    }),
  );
});

test('the key of a name is below the key of its parent and of no sibling', () => {
  fc.assert(
    fc.property(fc.array(rdn, { minLength: 2, maxLength: 5 }), rdn, (rdns, other) => {
      const dn = new Dn(rdns);
      const [key, parent] = [schema.keyOf(dn), schema.keyOf(new Dn(rdns.slice(1)))];
      assert.ok(isBelow(key, parent));
      assert.ok(parentKey(key)?.equals(parent));
      const sibling = schema.keyOf(new Dn([other, ...rdns.slice(1)]));
      assert.equal(isBelow(schema.keyOf(new Dn([other, ...rdns])), key), true);
      if (!sibling.equals(key)) assert.equal(isBelow(sibling, key), false);
    }),
  );
});

test('hostile text is refused or read, in time linear to its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'cn=,+;"\\#<> 0aF.\0é'), maxLength: 200 }), (text) => {
      try {
        Dn.parse(text);
      } catch (error) {
        assert.ok(error instanceof LdapError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a value is escaped so that it stands alone in a name', () => {
  assert.equal(escapeDnValue('Contoso, Inc.'), 'Contoso\\, Inc.');
  assert.equal(escapeDnValue(Buffer.from([0x80, 0x41])), '\\80A');
  assert.throws(() => parseRdn('cn=a,o=b'), LdapError);
  assert.throws(() => parseRdn(''), LdapError);
});
