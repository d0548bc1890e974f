import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortedAlike } from '../../src/compliance/probe/suite-order.ts';

/** A server whose order is that of the numbers. */
function server(): { readonly before: (a: number, b: number) => Promise<boolean>; asked: number } {
  const counter = {
    asked: 0,
    before: (a: number, b: number): Promise<boolean> => (counter.asked++, Promise.resolve(a < b)),
  };
  return counter;
}

/** Lists that are in order by themselves → questions at the most. */
const rows: readonly (readonly [readonly (readonly number[])[], number])[] = [
  [[], 0],
  [[[1, 2, 3]], 0],
  [
    [
      [4, 5, 6],
      [1, 2, 3],
    ],
    3,
  ],
  [[Array.from({ length: 20 }, (_, i) => i), [30, 31, 32, 33, 34, 35, 36]], 6],
  [
    [
      [1, 3, 5, 7],
      [2, 4, 6, 8],
    ],
    12,
  ],
  [[[1, 9], [2], [3], [8, 10]], 12],
];
for (const [lists, most] of rows) {
  test(`lists ${JSON.stringify(lists)} become one with ${most} questions or fewer`, async () => {
    const asked = server();
    const { sorted, unsorted } = await sortedAlike(lists, asked.before);
    assert.deepEqual([sorted, unsorted], [lists.flat().toSorted((a, b) => a - b), undefined]);
    assert.ok(asked.asked <= most, `${asked.asked} questions`);
  });
}

test('too many questions are not asked, and what is not known is said', async () => {
  const asked = server();
  const lists = [Array.from({ length: 30 }, (_, i) => 2 * i), Array.from({ length: 30 }, (_, i) => 2 * i + 1)];
  const { sorted, unsorted } = await sortedAlike(lists, asked.before);
  assert.equal(new Set(sorted).size, 60);
  assert.match(unsorted ?? '', /^more than 24 pairs/);
  assert.equal(asked.asked, 24);
});
