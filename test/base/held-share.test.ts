import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldShares, type Share } from '../../src/base/index.ts';

function shares(most: number, names: string): { all: HeldShares; of: Record<string, Share>; ended: string[] } {
  const all = new HeldShares(most);
  const ended: string[] = [];
  const of = Object.fromEntries([...names].map((name) => [name, all.enter(() => ended.push(name))]));
  return { all, of, ended };
}

test('beyond the bound the first that holds no less than the average goes', () => {
  const { all, of, ended } = shares(100, 'abcd');
  of['a']?.hold(1);
  of['b']?.hold(50);
  of['c']?.hold(40);
  assert.deepEqual(ended, []);
  of['d']?.hold(20);
  assert.deepEqual([ended, all.held], [['b'], 61]);
  of['d']?.hold(0);
  of['c']?.hold(200);
  assert.deepEqual([ended, all.held], [['b', 'c'], 1], 'one that alone holds too much goes itself');
});

test('what is given back counts no more, whoever began again is the last', () => {
  const { all, of, ended } = shares(100, 'abc');
  of['a']?.hold(40);
  of['b']?.hold(40);
  of['a']?.hold(0);
  of['a']?.hold(40);
  of['c']?.hold(40);
  assert.deepEqual(ended, ['b']);
  for (const share of Object.values(of)) share[Symbol.dispose]();
  assert.equal(all.held, 0);
});
