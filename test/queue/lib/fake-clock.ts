import type { Clock } from '../../../src/base/index.ts';

/** A clock that moves when the test says so. */
export class FakeClock implements Clock {
  #now: number;
  /** The wall clock is ahead of the monotonic one by this. */
  #ahead = 0;
  #timers: { readonly at: number; readonly call: () => void }[] = [];

  constructor(now = 1_800_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#ahead;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Somebody sets the wall clock, by so many milliseconds; no time passes. */
  set(byMs: number): void {
    this.#ahead += byMs;
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    const timer = { at: this.#now + Math.max(0, delayMs), call };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((one) => one !== timer)) };
  }

  /** Moves on, ringing every timer at its own time, and lets everything that follows from it happen. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await quiet();
    for (;;) {
      const next = this.#timers.reduce<number>((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
      const due = this.#timers.find(({ at }) => at === next);
      this.#timers = this.#timers.filter((one) => one !== due);
      due?.call();
      await quiet();
    }
    this.#now = end;
  }
}

/** Resolves when what the event loop holds ready has run: promises and turns, no time. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
