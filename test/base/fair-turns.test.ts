import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairTurns } from '../../src/base/index.ts';

/** Turns of 5 ms on a clock that work itself moves on; `turns` counts those of the event loop. */
function start() {
  let now = 0;
  let turns = 0;
  const fair = new FairTurns(5, () => now);
  const done: string[] = [];
  const work = (name: string, ms: number) => (): void => {
    done.push(`${name} in ${turns}`);
    now += ms;
  };
  const turn = async (): Promise<void> => {
    // Ours is behind the one that the turns asked for.
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  };
  return { fair, done, work, turn };
}

test('work runs at once while there is time and nobody waits', () => {
  const { fair, done, work } = start();
  for (const name of ['a', 'b', 'c']) fair.run(name, work(name, 1));
  assert.deepEqual(done, ['a in 0', 'b in 0', 'c in 0']);
});

test('beyond the slice work waits, and the sources take turns', async () => {
  const { fair, done, work, turn } = start();
  for (let i = 0; i < 4; i += 1) fair.run('many', work(`many ${i}`, 3));
  fair.run('one', work('one', 3));
  assert.deepEqual(done.splice(0), ['many 0 in 0', 'many 1 in 0']);
  assert.equal(fair.waiting('many'), 2);
  await turn();
  assert.deepEqual(done.splice(0), ['many 2 in 0', 'one in 0']);
  await turn();
  assert.deepEqual(done, ['many 3 in 1']);
  assert.equal(fair.waiting('many'), 0);
});

test('what comes later waits behind what waits, and time is had anew in each turn', async () => {
  const { fair, done, work, turn } = start();
  fair.run('a', work('first', 9));
  fair.run('a', work('second', 9));
  fair.later('b', work('third', 0));
  await turn();
  assert.deepEqual(done.splice(0), ['first in 0', 'second in 0']);
  await turn();
  fair.run('b', work('fourth', 0));
  assert.deepEqual(done, ['third in 1', 'fourth in 2']);
});

test('one slice of long work goes on in a turn, and what it took counts', async () => {
  const { fair, done, work, turn } = start();
  const [one, two] = [fair.paceOf('one'), fair.paceOf('two')];
  assert.equal(one.crowded, false);
  one.spend(5);
  assert.equal(two.crowded, true);
  const paused = [one.pause().then(work('one', 0)), two.pause().then(work('two', 0))];
  await turn();
  await paused[0];
  assert.deepEqual(done.splice(0), ['one in 0']);
  assert.equal(one.crowded, true);
  await turn();
  await paused[1];
  assert.deepEqual(done, ['two in 1']);
});
