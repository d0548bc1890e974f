import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, coalesced } from '../../src/base/index.ts';

/** Pending calls are made when told. */
class HandClock implements Clock {
  pending: (() => void)[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return this.now();
  }

  after(_: number, call: () => void): { cancel(): void } {
    this.pending.push(call);
    return { cancel: () => undefined };
  }

  pass(): void {
    const due = this.pending;
    this.pending = [];
    for (const call of due) call();
  }
}

test('the first call is done at once, those that follow are one at the end of the interval', () => {
  const clock = new HandClock();
  let done = 0;
  const ask = coalesced(50, clock, () => (done += 1));
  ask();
  assert.equal(done, 1);
  for (let i = 0; i < 100; i++) ask();
  assert.equal(done, 1);
  clock.pass();
  assert.equal(done, 2);
  clock.pass();
  assert.equal(done, 2, 'nobody asked again');
  ask();
  assert.equal(done, 3);
});

test('work that asks again itself comes later, not within', () => {
  const clock = new HandClock();
  let depth = 0;
  let done = 0;
  const ask: () => void = coalesced(50, clock, () => {
    depth += 1;
    assert.equal(depth, 1);
    done += 1;
    if (done < 3) ask();
    depth -= 1;
  });
  ask();
  clock.pass();
  clock.pass();
  clock.pass();
  assert.equal(done, 3);
});
