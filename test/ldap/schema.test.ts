import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Schema } from '../../src/ldap/index.ts';
import { syntaxTests } from '../../src/ldap/syntaxes.ts';
import { productSchema } from './schema-of-the-product.ts';

const schema = productSchema();

test('every element of the product schema names its source', () => {
  for (const element of [...schema.attributeTypes, ...schema.objectClasses, ...schema.matchingRules]) {
    assert.notEqual(element.origin, '', `${element.name} has no X-ORIGIN`);
  }
});

test('no OID and no name stands for two attributes or two classes', () => {
  for (const elements of [schema.attributeTypes, schema.objectClasses]) {
    const names = elements.flatMap(({ names: list, oid }) => [oid, ...list.map((name) => name.toLowerCase())]);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  }
});

test('a schema written out as it is published reads as the same schema', () => {
  const again = new Schema({
    ldapSyntaxes: schema.syntaxes.map(({ text }) => text),
    matchingRules: schema.matchingRules.map(({ text }) => text),
    attributeTypes: schema.attributeTypes.map(({ text }) => text),
    objectClasses: schema.objectClasses.map(({ text }) => text),
  });
  const strip = (each: { readonly [key: string]: unknown }): object => ({
    ...each,
    equalityRule: 0,
    orderingRule: 0,
    substringsRule: 0,
  });
  assert.deepEqual(
    again.attributeTypes.map((each) => strip({ ...each })),
    schema.attributeTypes.map((each) => strip({ ...each })),
  );
  assert.deepEqual(again.objectClasses, schema.objectClasses);
});

test('attributes are found by any of their names, take over from superiors, know what is derived', () => {
  const sn = schema.attribute('SURNAME');
  assert.equal(sn, schema.attribute('2.5.4.4'));
  assert.equal(sn?.equality, 'caseIgnoreMatch');
  assert.equal(schema.describe('CN;LANG-de;x-a')?.options.join(), 'lang-de,x-a');
  const name = schema.attribute('name');
  assert.ok(name && schema.subtypes(name).has('cn') && !schema.subtypes(name).has('mail'));
  assert.equal(schema.describe('cn;;x'), undefined);
  assert.equal(schema.attribute('objectGUID')?.noUserModification, true);
});

// Attributes that objects of a real organization had, by class, as published with microsoft/CSS-Exchange (MIT).
const observed = JSON.parse(readFileSync(new URL('exchange-attributes.json', import.meta.url), 'utf8')) as Record<
  string,
  string[]
>;
for (const [name, attributes] of Object.entries(observed)) {
  test(`class ${name} allows the attributes that real objects had`, () => {
    const chain = schema.classChain(name);
    assert.ok(chain.length > 0, 'the class is in the schema');
    const allowed = new Set(
      chain.flatMap(({ must, may }) => [...must, ...may]).map((each) => schema.attribute(each)?.key),
    );
    for (const each of attributes) {
      const attribute = schema.attribute(each);
      assert.ok(attribute, `${each} is not in the schema`);
      // `name` is the superior of cn here, which stands for it.
      if (attribute.usage === 'userApplications' && attribute.key !== 'name')
        assert.ok(allowed.has(attribute.key), `${each} is not allowed`);
    }
  });
}

// A schema text that is refused, and why.
const attributeOf = (rest: string): string => `( 1.2.3 NAME 'x' ${rest} )`;
const refused: readonly (readonly [line: string, why: RegExp])[] = [
  [attributeOf('SYNTAX 1.2.3.4'), /unknown syntax/],
  [attributeOf(''), /unknown syntax/],
  [attributeOf('SUP nothing'), /unknown superior/],
  [attributeOf('SUP x'), /its own superior/],
  [attributeOf('EQUALITY noRule SYNTAX 1.3.6.1.4.1.1466.115.121.1.15'), /unknown rule/],
  [attributeOf('SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 USAGE nobody'), /USAGE/],
  [attributeOf("SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-INDEX 'fast'"), /X-INDEX/],
  ["( 1.2.3 NAME 'a b' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )", /descriptor/],
  ["( x NAME 'x' )", /numeric OID/],
  ["( 1.2.3 NAME 'x'", /ends too early/],
  ["( 1.2.3 NAME 'x' NAME 'y' )", /twice/],
  ["( 1.2.3 NAME 'x' ) y", /goes on/],
  ["1.2.3 NAME 'x'", /begin/],
  ["( 1.2.3 NAME 'x )", /cannot be read/],
];
for (const [line, why] of refused) {
  test(`the attribute type ${line} is refused`, () => {
    assert.throws(
      () => schema.extended(`dn: cn=schema\nattributeTypes: ${line}\n`),
      (error) => error instanceof RangeError && why.test(error.message),
    );
  });
}

test('a class that names something unknown is refused', () => {
  assert.throws(
    () => schema.extended("dn: cn=schema\nobjectClasses: ( 1.2.3 NAME 'x' SUP nothing STRUCTURAL )\n"),
    /unknown superior/,
  );
  assert.throws(
    () => schema.extended("dn: cn=schema\nobjectClasses: ( 1.2.3 NAME 'x' SUP top STRUCTURAL MUST nothing )\n"),
    /unknown attribute/,
  );
});

test('a schema is extended by change records too, OpenLDAP prefixes taken off', () => {
  const more = schema.extended(
    "dn: cn=schema,cn=config\nchangetype: modify\nadd: olcAttributeTypes\nolcAttributeTypes: {0}( 1.2.3 NAME 'extra' SUP name )\n-\n",
  );
  assert.equal(more.attribute('extra')?.equality, 'caseIgnoreMatch');
  assert.equal(schema.attribute('extra'), undefined);
});

// Syntax, values it takes, values it refuses.
const base = '1.3.6.1.4.1.1466.115.121.1';
const syntaxes: readonly (readonly [oid: string, good: readonly string[], bad: readonly string[]])[] = [
  [`${base}.7`, ['TRUE', 'FALSE'], ['true', 'yes', '']],
  [`${base}.12`, ['cn=a', ''], ['a', 'cn=a,']],
  [`${base}.15`, ['x', 'é'], ['']],
  [`${base}.24`, ['20260102030405Z', '2026010203Z'], ['2026', '20260102030405']],
  [`${base}.26`, ['', 'abc'], ['é']],
  [`${base}.27`, ['0', '-1', '12345678901234567890'], ['-0', '01', '+1', '1 ', '']],
  [`${base}.36`, ['1 2'], ['1a', '']],
  [`${base}.38`, ['cn', '2.5.4.3'], ['c n', '2', '2.05', '']],
  [`${base}.41`, ['a$b', 'a\\24b'], ['a$$b', '$', 'a\\b']],
  [`${base}.50`, ['+1 555'], ['', '+1_555']],
  [`${base}.6`, ["'01'B"], ['01']],
  [`${base}.11`, ['DE'], ['D', 'DEU']],
  ['1.3.6.1.1.16.1', ['597ae2f6-16a6-1027-98f4-d28b5365dc14'], ['597ae2f6']],
  ['1.2.840.113556.1.4.906', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', 'x']],
];
for (const [oid, good, bad] of syntaxes) {
  test(`syntax ${oid}`, () => {
    for (const value of good) assert.equal(syntaxTests.get(oid)?.(Buffer.from(value)), true, `takes '${value}'`);
    for (const value of bad) assert.equal(syntaxTests.get(oid)?.(Buffer.from(value)), false, `refuses '${value}'`);
  });
}
