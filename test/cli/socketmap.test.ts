import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeNetstring } from '../../src/cli/sync/socketmap.ts';

const rows: readonly (readonly [octets: string, answer: string])[] = [
  ['', 'more'],
  ['5', 'more'],
  ['5:abc', 'more'],
  ['5:abcde', 'more'],
  ['5:abcde,', 'abcde'],
  ['5:abcde,3:abc,', 'abcde'],
  ['0:,', ''],
  ['2048:a', 'more'],
  ['2049:a', 'broken'],
  ['99999', 'broken'],
  ['x:', 'broken'],
  ['-1:a,', 'broken'],
  [':', 'broken'],
  ['3:abcX', 'broken'],
  ['1e3:a', 'broken'],
];
for (const [octets, answer] of rows) {
  test(`the netstring ${JSON.stringify(octets)}: ${answer}`, () => {
    const taken = takeNetstring(Buffer.from(octets));
    assert.equal(typeof taken === 'string' ? taken : taken.text, answer);
  });
}
