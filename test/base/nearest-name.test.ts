import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../src/base/index.ts';

test('the nearest name', () => {
  const names = ['None', 'Verbose', 'AnonymousUsers'];
  const cases = [
    ['verbos', 'Verbose'],
    ['VREBOSE', 'Verbose'],
    ['Anonymous', 'AnonymousUsers'],
    ['Nome', 'None'],
    ['xyz', undefined],
    ['', undefined],
  ] as const;
  for (const [word, name] of cases) assert.equal(nearestName(word, names), name, word);
});
