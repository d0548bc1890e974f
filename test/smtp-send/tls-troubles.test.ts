import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/base/index.ts';
import { TlsTroubles } from '../../src/smtp-send/connection/tls-troubles.ts';

test('troubles with TLS: counted, ended by success, forgotten after a day, and bounded', () => {
  let now = 1_000_000_000_000;
  const clock: Clock = { ...systemClock, now: () => now };
  const troubles = new TlsTroubles(clock);
  troubles.failed('a.test', 'first');
  now += 60_000;
  troubles.failed('a.test', 'second\r\nline');
  troubles.failed('b.test', 'other');
  assert.deepEqual(
    troubles.current.map(({ destination, times, last, since }) => [destination, times, last - since]),
    [
      ['b.test', 1, 0],
      ['a.test', 2, 60_000],
    ],
  );
  assert.doesNotMatch(troubles.current[1]?.reason ?? '', /[\r\n]/);
  troubles.succeeded('b.test');
  assert.equal(troubles.current.length, 1);
  now += 86_400_001;
  assert.deepEqual(troubles.current, []);
  for (let i = 0; i < 1_000; i++) troubles.failed(`${i}.test`, 'x');
  assert.equal(troubles.current.length, 200);
});
