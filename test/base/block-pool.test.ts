import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockPool } from '../../src/base/index.ts';

test('a block that was given back is the next one taken, whole, whatever part came back', () => {
  const pool = new BlockPool(1000, 2);
  const block = pool.take();
  assert.equal(block.length, 1000);
  assert.notEqual(pool.take().buffer, block.buffer, 'it is lent');
  pool.give(block.subarray(10, 20));
  const again = pool.take();
  assert.equal(again.buffer, block.buffer);
  assert.equal(again.length, 1000);
});

test('a block given back twice is not lent twice, and a stranger not at all', () => {
  const pool = new BlockPool(1000, 5);
  const [block, stranger] = [pool.take(), Buffer.alloc(1000)];
  for (const part of [block, block, block.subarray(5), stranger]) pool.give(part);
  const taken = new Set([pool.take(), pool.take(), pool.take()].map(({ buffer }) => buffer));
  assert.equal(taken.size, 3);
  assert.ok(!taken.has(stranger.buffer));
});

test('no more are kept than allowed', () => {
  const pool = new BlockPool(1000, 1);
  const blocks = [pool.take(), pool.take()];
  for (const block of blocks) pool.give(block);
  const known = [pool.take(), pool.take()].filter(({ buffer }) => blocks.some((block) => block.buffer === buffer));
  assert.equal(known.length, 1);
});
