import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultList, systemClock } from '../../src/base/index.ts';
import { ConfigurationFollower } from '../../src/services/configuration.ts';

test('a configuration that cannot be taken up leaves the one before in force, and says which and why', () => {
  let build = (): boolean => true;
  const current = { usn: 4 } as never;
  const log: string[] = [];
  const write = (_: object, text: string): number => log.push(text);
  const faults = new FaultList(systemClock, { error: write, info: write });
  const follower = new ConfigurationFollower({ current, refresh: () => build() }, faults);
  assert.equal(follower.takeUp(5), true);
  build = () => {
    throw new Error('no such connector');
  };
  assert.equal(follower.takeUp(6), false);
  assert.deepEqual(follower.state, { usn: 4, refused: { usn: 6, reason: 'no such connector' } });
  const told = 'update 6 of the configuration cannot be taken up, 4 stays in force: no such connector';
  assert.deepEqual(
    faults.current.map(({ text }) => text),
    [told],
  );
  build = () => false;
  follower.takeUp(7);
  assert.deepEqual(follower.state, { usn: 4 });
  assert.deepEqual([faults.current, log], [[], [`fault: ${told}`, `fault is over: ${told}`]]);
});
