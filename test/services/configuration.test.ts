import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationFollower } from '../../src/services/configuration.ts';

test('a configuration that cannot be taken up leaves the one before in force, and says which and why', () => {
  let build = (): boolean => true;
  const current = { usn: 4 } as never;
  const refusals: string[] = [];
  const follower = new ConfigurationFollower({ current, refresh: () => build() }, (error, usn) =>
    refusals.push(`${usn} ${error.message}`),
  );
  assert.equal(follower.takeUp(5), true);
  build = () => {
    throw new Error('no such connector');
  };
  assert.equal(follower.takeUp(6), false);
  assert.deepEqual(follower.state, { usn: 4, refused: { usn: 6, reason: 'no such connector' } });
  assert.deepEqual(refusals, ['6 no such connector']);
  build = () => false;
  follower.takeUp(7);
  assert.deepEqual(follower.state, { usn: 4 });
});
