/** What clients say after AUTH: RFC 4954 §4, RFC 4616. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, decodeSaslText, plainCredentials } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';

const rows: readonly (readonly [line: string, text: string | undefined])[] = [
  ['=', ''],
  ['', ''],
  ['YQ==', 'a'],
  ['YWI=', 'ab'],
  ['YWJj', 'abc'],
  ['YWJjZA==', 'abcd'],
  ['w7w=', 'ü'],
  ['Pz8+', '??>'],
  ['+/+/', undefined],
  ['YQ', undefined],
  ['YQ=', undefined],
  ['YQ===', undefined],
  ['Y', undefined],
  ['YWJj=', undefined],
  ['YWJj====', undefined],
  ['=YWJj', undefined],
  ['YQ==YQ==', undefined],
  ['==', undefined],
  ['YW Jj', undefined],
  ['YWJj ', undefined],
  [' YWJj', undefined],
  ['YW-_', undefined],
  ['/w==', undefined],
  ['7aCA', undefined],
];
for (const [line, text] of rows)
  test(`'${line}' stands for ${text === undefined ? 'nothing that can be read' : JSON.stringify(text)}`, () => {
    assert.equal(decodeSaslText(line), text);
  });

test('any text comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodeSaslText(Buffer.from(text).toString('base64')), text.toWellFormed());
    }),
  );
});

test('names and passwords that nobody can have', () => {
  assert.deepEqual(credentials('u', 'p'), { name: 'u', password: 'p' });
  assert.deepEqual(credentials('u'.repeat(256), 'p'.repeat(1024)), {
    name: 'u'.repeat(256),
    password: 'p'.repeat(1024),
  });
  assert.deepEqual(credentials('corp\\ü', '\t\0'), { name: 'corp\\ü', password: '\t\0' });
  for (const [name, password] of [
    ['', 'p'],
    ['u', ''],
    ['u'.repeat(257), 'p'],
    ['u', 'p'.repeat(1025)],
    ['u\0', 'p'],
    ['u\x1f', 'p'],
    ['u\x7f', 'p'],
    ['\nu', 'p'],
  ] as const)
    assert.equal(credentials(name, password), undefined, JSON.stringify([name, password]).slice(0, 40));
});

test('PLAIN: nobody is acted for but oneself', () => {
  assert.deepEqual(plainCredentials('\0u\0p'), { name: 'u', password: 'p' });
  assert.deepEqual(plainCredentials('u\0u\0p'), { name: 'u', password: 'p' });
  for (const message of ['', 'u', '\0u', 'u\0p', '\0\0p', '\0u\0', 'v\0u\0p', 'U\0u\0p', '\0u\0p\0', '\0u\0p\0q'])
    assert.equal(plainCredentials(message), undefined, JSON.stringify(message));
});
