import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MovingLimit } from '../../src/base/index.ts';
import { FakeClock } from '../queue/lib/fake-clock.ts';

/** What was done to a limit, in turn, and when it rang by the end of it. */
const rows: readonly {
  readonly name: string;
  readonly steps: readonly (number | 'clear' | `+${number}`)[];
  readonly rang: readonly number[];
}[] = [
  { name: 'it rings once, at its time', steps: [100, '+99', '+1', '+1000'], rang: [100] },
  { name: 'what is cleared does not ring', steps: [100, '+50', 'clear', '+1000'], rang: [] },
  {
    name: 'a later limit moves it, although the timer rings before',
    steps: [100, '+50', 100, '+60', '+40'],
    rang: [150],
  },
  { name: 'an earlier limit rings earlier', steps: [100, 10, '+10', '+200'], rang: [10] },
  {
    name: 'it can be set again behind clear, while its timer is still there',
    steps: [100, 'clear', '+90', 100, '+200'],
    rang: [190],
  },
  { name: 'it can be set again when it has rung', steps: [10, '+20', 10, '+20'], rang: [10, 30] },
];

for (const { name, steps, rang } of rows) {
  test(name, async () => {
    const clock = new FakeClock(0);
    const heard: number[] = [];
    const limit = new MovingLimit(clock, () => heard.push(clock.monotonic()));
    for (const step of steps) {
      if (step === 'clear') limit.clear();
      else if (typeof step === 'number') limit.set(step);
      else await clock.advance(Number(step));
    }
    assert.deepEqual(heard, rang);
  });
}

test('one that is set for each message costs one timer, not thousands', () => {
  let timers = 0;
  const clock = { monotonic: () => 0, after: () => ({ cancel: () => undefined, made: timers++ }) };
  const limit = new MovingLimit(clock, () => undefined);
  for (let i = 0; i < 10_000; i++) {
    limit.set(60_000);
    limit.clear();
  }
  assert.equal(timers, 1);
});

test('closed, it neither rings nor holds its timer', async () => {
  const clock = new FakeClock(0);
  let rang = 0;
  const limit = new MovingLimit(clock, () => (rang += 1));
  limit.set(10);
  limit[Symbol.dispose]();
  await clock.advance(100);
  assert.equal(rang, 0);
});
