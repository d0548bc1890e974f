import type { Clock } from '../../base/index.ts';

/**
 * The time by which the queue waits: milliseconds since 1970 as the wall clock had it when the process began, and from then on
 * without regard to how the wall clock is set. What is shown, and what is kept on disk, is converted.
 */
export class QueueClock {
  readonly #clock: Clock;
  readonly #start: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now() - clock.monotonic();
  }

  /** Queue time. */
  now(): number {
    return this.#start + this.#clock.monotonic();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    return this.#clock.after(delayMs, call);
  }

  /** Wall time. */
  wall(): number {
    return this.#clock.now();
  }

  /** Queue time as wall time. 0 stays 0: never, or at once. */
  toWall(time: number): number {
    return time === 0 ? 0 : time + this.#clock.now() - this.now();
  }

  /**
   * A wall time from the disk as queue time, not further ahead than `longestMs`: the clock may have been wrong when it was written,
   * or be wrong now, and no wait is longer than the interval that made it.
   */
  ahead(wallTime: number, longestMs: number): number {
    return this.now() + Math.min(wallTime - this.#clock.now(), longestMs);
  }
}
