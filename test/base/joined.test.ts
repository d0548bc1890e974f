import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined } from '../../src/base/index.ts';

test('who asks while an answer is made shares the next one', async () => {
  let begun = 0;
  const gates: PromiseWithResolvers<void>[] = [];
  const ask = joined(async () => {
    begun += 1;
    const answer = begun;
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return answer;
  });
  const first = ask();
  const others = [ask(), ask(), ask()];
  assert.equal(begun, 1);
  gates[0]?.resolve();
  assert.equal(await first, 1);
  while (gates.length < 2) await Promise.resolve();
  const late = ask();
  gates[1]?.resolve();
  assert.deepEqual(await Promise.all(others), [2, 2, 2]);
  while (gates.length < 3) await Promise.resolve();
  gates[2]?.resolve();
  assert.equal(await late, 3);
  assert.equal(begun, 3);
});

test('a failure is told to those who shared it, and is forgotten', async () => {
  let fails = true;
  const ask = joined(() => (fails ? Promise.reject(new Error('not now')) : Promise.resolve('there')));
  const both = [ask(), ask()];
  await assert.rejects(both[0] ?? ask());
  await assert.rejects(both[1] ?? ask());
  fails = false;
  assert.equal(await ask(), 'there');
});
