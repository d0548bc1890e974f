import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatGeneralizedTime, formatGuid, parseGeneralizedTime, parseGuid } from '../../src/ldap/index.ts';
import { matchesSubstrings } from '../../src/ldap/matching-rules.ts';
import fc from '../lib/properties.ts';
import { productSchema } from './schema-of-the-product.ts';

const schema = productSchema();

type Relation = 'equal' | 'less' | 'greater' | 'different' | 'undefined';

// Rule, two values, how they stand to each other. 'undefined': the first has not the syntax of the rule.
const rows: readonly (readonly [rule: string, left: string, right: string, relation: Relation])[] = [
  ['caseIgnoreMatch', 'Foo  Bar ', ' foo bar', 'equal'],
  ['caseIgnoreMatch', 'foobar', 'foo bar', 'different'],
  ['caseIgnoreMatch', 'ﬁne', 'FINE', 'equal'],
  ['caseIgnoreMatch', 'Ａ', 'a', 'equal'],
  ['caseIgnoreMatch', 'soft\u00adhyphen', 'softhyphen', 'equal'],
  ['caseIgnoreMatch', 'no\u00a0break', 'no break', 'equal'],
  ['caseIgnoreMatch', 'tab\there', 'tab here', 'equal'],
  ['caseIgnoreMatch', 'ΟΔΟΣ', 'οδος', 'equal'],
  ['caseIgnoreMatch', 'ß', 'SS', 'equal'],
  ['caseIgnoreMatch', 'e\u0301', 'É', 'equal'],
  ['caseIgnoreMatch', '', ' ', 'equal'],
  ['caseIgnoreMatch', '\ue000', 'x', 'undefined'],
  ['caseIgnoreOrderingMatch', 'abc', 'ABD', 'less'],
  ['caseIgnoreOrderingMatch', 'z', 'a', 'greater'],
  ['caseExactMatch', 'Foo', 'foo', 'different'],
  ['caseExactMatch', 'Foo  bar', 'Foo bar', 'equal'],
  ['caseIgnoreListMatch', '1 Main St. $ Town  X', '1 main st.$town x', 'equal'],
  ['caseIgnoreListMatch', 'one$two', 'one two', 'different'],
  ['caseIgnoreListMatch', 'one$two', 'one$two$', 'different'],
  ['caseIgnoreIA5Match', 'A@B', 'a@b', 'equal'],
  ['caseExactIA5Match', 'A', 'a', 'different'],
  ['numericStringMatch', '12 34', '1234', 'equal'],
  ['numericStringOrderingMatch', '12', '2', 'less'],
  ['telephoneNumberMatch', '+1-555 0100', '+15550100', 'equal'],
  ['telephoneNumberMatch', '+1 555 0100 EXT', '+15550100ext', 'equal'],
  ['integerMatch', '12', '12', 'equal'],
  ['integerMatch', '-0', '0', 'undefined'],
  ['integerMatch', '1.5', '1', 'undefined'],
  ['integerMatch', ' 1', '1', 'undefined'],
  ['integerMatch', '', '1', 'undefined'],
  ['integerOrderingMatch', '9', '10', 'less'],
  ['integerOrderingMatch', '-10', '-9', 'less'],
  ['integerOrderingMatch', '-1', '0', 'less'],
  ['integerOrderingMatch', '255', '256', 'less'],
  ['integerOrderingMatch', '9223372036854775807', '9223372036854775808', 'less'],
  ['integerOrderingMatch', '-9223372036854775808', '-9223372036854775807', 'less'],
  ['booleanMatch', 'TRUE', 'FALSE', 'different'],
  ['booleanMatch', '1', 'TRUE', 'undefined'],
  ['octetStringMatch', 'A', 'a', 'different'],
  ['octetStringOrderingMatch', 'A', 'a', 'less'],
  ['generalizedTimeMatch', '20260102030405Z', '20260102030405.000Z', 'equal'],
  ['generalizedTimeMatch', '2026010203Z', '20260102030000Z', 'equal'],
  ['generalizedTimeMatch', '2026010203.5Z', '20260102033000Z', 'equal'],
  ['generalizedTimeMatch', '202601020304,5Z', '20260102030430Z', 'equal'],
  ['generalizedTimeMatch', '20260102030405+0130', '20260102013405Z', 'equal'],
  ['generalizedTimeMatch', '20261302030405Z', '20260102013405Z', 'undefined'],
  ['generalizedTimeMatch', '20260230000000Z', '20260102013405Z', 'undefined'],
  ['generalizedTimeMatch', '20260102030405', '20260102013405Z', 'undefined'],
  ['generalizedTimeMatch', '20260102240000Z', '20260103000000Z', 'undefined'],
  ['generalizedTimeOrderingMatch', '20260102030405Z', '20260102030405.1Z', 'less'],
  ['generalizedTimeOrderingMatch', '19691231235959Z', '19700101000000Z', 'less'],
  ['objectIdentifierMatch', 'person', '2.5.6.6', 'equal'],
  ['objectIdentifierMatch', 'PERSON', 'person', 'equal'],
  ['objectIdentifierMatch', 'nonsense', 'person', 'undefined'],
  ['objectIdentifierFirstComponentMatch', "( 2.5.4.3 NAME 'cn' )", '2.5.4.3', 'equal'],
  ['distinguishedNameMatch', 'CN=a, O=b', 'cn=A,o=B', 'equal'],
  ['distinguishedNameMatch', 'a', 'cn=A,o=B', 'undefined'],
  ['uniqueMemberMatch', "CN=a#'01'B", "cn=A#'01'B", 'equal'],
  ['uniqueMemberMatch', "CN=a#'01'B", 'cn=A', 'different'],
  ['uuidMatch', '597AE2F6-16A6-1027-98F4-D28B5365DC14', '597ae2f6-16a6-1027-98f4-d28b5365dc14', 'equal'],
  ['uuidMatch', '597ae2f6', '597ae2f6-16a6-1027-98f4-d28b5365dc14', 'undefined'],
  ['bitStringMatch', "'0101'B", "'0101'B", 'equal'],
  ['bitStringMatch', '0101', "'0101'B", 'undefined'],
  ['caseIgnoreListMatch', 'Main St$Town', 'main st$town', 'equal'],
];
for (const [name, left, right, relation] of rows) {
  test(`${name}: '${left}' against '${right}' is ${relation}`, () => {
    const rule = schema.matchingRule(name);
    assert.ok(rule, 'the rule is in the schema');
    const [a, b] = [rule.normalise(Buffer.from(left), schema), rule.normalise(Buffer.from(right), schema)];
    if (relation === 'undefined') return assert.equal(a, undefined);
    assert.ok(a !== undefined && b !== undefined);
    const order = a.compare(b);
    assert.ok(
      relation === 'different' ? order !== 0 : order === { equal: 0, less: -1, greater: 1 }[relation],
      `compares ${order}`,
    );
  });
}

test('a value that is not UTF-8 has no normal form as a string', () => {
  assert.equal(schema.matchingRule('caseIgnoreMatch')?.normalise(Buffer.from([0xff, 0x41]), schema), undefined);
});

test('integers sort as numbers do', () => {
  const rule = schema.matchingRule('integerOrderingMatch');
  const key = (value: bigint): Buffer =>
    rule?.normalise(Buffer.from(String(value)), schema) ?? assert.fail('no normal form');
  fc.assert(
    fc.property(fc.bigInt(), fc.bigInt(), (a, b) =>
      assert.equal(Math.sign(key(a).compare(key(b))), a < b ? -1 : a > b ? 1 : 0),
    ),
  );
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) =>
      assert.equal(Math.sign(key(BigInt(a)).compare(key(BigInt(b)))), Math.sign(a - b)),
    ),
  );
});

test('preparing a prepared string changes nothing', () => {
  const rule = schema.matchingRule('caseIgnoreMatch');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
      const once = rule?.normalise(Buffer.from(text), schema);
      if (once !== undefined) assert.ok(rule?.normalise(once, schema)?.equals(once));
    }),
    { numRuns: 2_000 },
  );
});

test('substrings are found exactly where a regular expression finds them', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 });
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }),
      fc.option(piece),
      fc.array(piece, { maxLength: 3 }),
      fc.option(piece),
      (text, initial, any, final) => {
        const pattern = new RegExp(`^${initial ?? ''}.*${any.map((each) => `${each}.*`).join('')}${final ?? ''}$`, 's');
        const octets = (each: string | null): Buffer | undefined => (each === null ? undefined : Buffer.from(each));
        assert.equal(
          matchesSubstrings(
            Buffer.from(text),
            octets(initial),
            any.map((each) => Buffer.from(each)),
            octets(final),
          ),
          pattern.test(text),
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

test('times are read and written', () => {
  assert.equal(formatGeneralizedTime(Date.UTC(2026, 0, 2, 3, 4, 5), '.0'), '20260102030405.0Z');
  assert.equal(parseGeneralizedTime('20260102030405.25Z'), Date.UTC(2026, 0, 2, 3, 4, 5, 250));
  assert.throws(() => parseGeneralizedTime('yesterday'), RangeError);
});

test('a GUID is written in the order of Windows', () => {
  const octets = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
  assert.equal(formatGuid(octets), '00112233-4455-6677-8899-aabbccddeeff');
  assert.deepEqual(parseGuid('{00112233-4455-6677-8899-AABBCCDDEEFF}'), octets);
  assert.throws(() => parseGuid('00112233'), RangeError);
});
