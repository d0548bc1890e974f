import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tlv } from '../../certs/authority.ts';
import { readDer } from '../../src/tls/der/der.ts';
import { directoryString } from '../../src/tls/der/directory-string.ts';
import { nameFromDer } from '../../src/tls/names/distinguished-name.ts';

/** DER of a value and its text; undefined: it does not decode, and so matches nothing. */
const values: readonly [what: string, hex: string, text: string | undefined][] = [
  ['UTF8String', '0c034dc3bc', 'Mü'],
  ['UTF8String, empty', '0c00', ''],
  ['UTF8String with NUL', '0c03410042', 'A\0B'],
  ['UTF8String with a byte order mark', '0c04efbbbf41', '\ufeffA'],
  ['UTF8String, stray octet', '0c0241ff', undefined],
  ['UTF8String, overlong', '0c0341c1af', undefined],
  ['UTF8String, surrogate', '0c03eda080', undefined],
  ['UTF8String, cut off', '0c0241c3', undefined],
  ['PrintableString', '13024142', 'AB'],
  ['PrintableString with the eighth bit', '130241fc', undefined],
  ['NumericString', '12023132', '12'],
  ['IA5String', '1603614062', 'a@b'],
  ['IA5String with the eighth bit', '160241fc', undefined],
  ['VisibleString', '1a024142', 'AB'],
  ['TeletexString', '14024dfc', 'Mü'],
  ['TeletexString with a shift', '14021b41', '\x1bA'],
  ['BMPString', '1e04004d682a', 'M株'],
  // The low octets alone are 'M*': forge's own form read as octets.
  ['BMPString is not its low octets', '1e044d2a682a', '䴪株'],
  ['BMPString, high surrogate', '1e02d83d', undefined],
  ['BMPString, surrogate pair', '1e04d83ddce7', undefined],
  ['UniversalString', '1c080000004d0001f4e7', 'M📧'],
  ['UniversalString of five octets', '1c050000004d00', undefined],
  ['UniversalString beyond Unicode', '1c0400110000', undefined],
  ['UniversalString, surrogate', '1c040000d83d', undefined],
  ['OCTET STRING', '04024142', undefined],
  ['INTEGER', '020141', undefined],
  ['BIT STRING', '03020041', undefined],
  ['SEQUENCE', '30040c024142', undefined],
  ['UTF8String in pieces', '2c040c024142', undefined],
  ['[12]', '8c024142', undefined],
];
for (const [what, hex, text] of values) {
  test(`${what}: ${JSON.stringify(text) ?? 'nothing'}`, () =>
    assert.equal(directoryString(readDer(Buffer.from(hex, 'hex'))), text));
}

test('forge reads a BMPString of odd length into the element behind it: refused', () => {
  for (const hex of ['1e0300410042', '30091e030041000c024142', '30071e0300414e0c00'])
    assert.throws(() => readDer(Buffer.from(hex, 'hex')), RangeError, hex);
});

const oid = Buffer.from('060355040a', 'hex');
const text = Buffer.from('0c0141', 'hex');
const nameWith = (...attribute: Buffer[]): Buffer => tlv(0x30, tlv(0x31, tlv(0x30, ...attribute)));
const badNames: readonly [what: string, der: Buffer][] = [
  ['no sequence', text],
  ['a step that is no set', tlv(0x30, tlv(0x30, tlv(0x30, oid, text)))],
  ['a step that is no list', tlv(0x30, text)],
  ['an empty step', tlv(0x30, tlv(0x31))],
  ['an attribute without a value', nameWith(oid)],
  ['an attribute of three', nameWith(oid, text, text)],
  ['an identifier with padding', nameWith(Buffer.from('06045580040a', 'hex'), text)],
  ['an identifier that does not end', nameWith(Buffer.from('060455040a81', 'hex'), text)],
  ['an identifier of no octets', nameWith(Buffer.from('0600', 'hex'), text)],
  ['an identifier that forge cannot count', nameWith(Buffer.from('060a55ffffffffffffffff7f', 'hex'), text)],
];
for (const [what, der] of badNames) {
  test(`no name: ${what}`, () => assert.throws(() => nameFromDer(readDer(der)), RangeError));
}

test('the good one of these is a name', () => {
  assert.deepEqual(nameFromDer(readDer(nameWith(oid, text))), [[{ oid: '2.5.4.10', value: 'A' }]]);
});
