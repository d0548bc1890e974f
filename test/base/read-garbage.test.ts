import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadGarbage } from '../../src/base/index.ts';

test('is collected after so many octets, however they come', () => {
  let collected = 0;
  const garbage = new ReadGarbage(() => (collected += 1));
  const piece = 64 * 1024;
  for (let i = 0; i < 6 * 16 - 1; i += 1) garbage.add(piece);
  assert.equal(collected, 0);
  garbage.add(piece);
  assert.equal(collected, 1);
  garbage.add(100 * 1024 ** 2);
  assert.equal(collected, 2);
  garbage.add(piece);
  assert.equal(collected, 2);
});

test('nothing is collected in a process that cannot', () => {
  assert.doesNotThrow(() => new ReadGarbage(undefined).add(1e9));
});
