import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wildcardTest } from '../../src/base/index.ts';
import { cpuTime } from '../lib/cpu-time.ts';

const rows: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['abc', 'ABC', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbbcd', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['*b*', 'abc', true],
  ['a**', 'a', true],
  ['[127.0.0.1]', '[127.0.0.1]', true],
  ['[1]', '1', false],
  ['a.c', 'abc', false],
  ['*a*b*c', 'xxaxxbxxcxxc', true],
];
for (const [pattern, text, matches] of rows) {
  test(`'${pattern}' ${matches ? 'takes' : 'refuses'} '${text}'`, () => {
    assert.equal(wildcardTest(pattern)(text), matches);
  });
}

test('many stars on a long text take no longer than their product', () => {
  const worked = cpuTime();
  assert.equal(wildcardTest(`${'*a'.repeat(50)}b`)('a'.repeat(20_000)), false);
  assert.ok(worked() < 2000, `${worked()} ms`);
});
