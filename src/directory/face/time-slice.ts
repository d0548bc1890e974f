import type { Pace } from '../../base/index.ts';

/** Longest that work goes on without yielding, in milliseconds. */
const sliceMs = 4;

/** Keeps long work from holding up other connections. */
export class TimeSlice {
  readonly #pace: Pace;
  #since = performance.now();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Whether it is time to yield. Cheap, but not for the innermost loop. */
  get over(): boolean {
    return performance.now() - this.#since > sliceMs;
  }

  /** Lets everything else run that waits, and begins a new slice. */
  async yield(): Promise<void> {
    this.#pace.spend(performance.now() - this.#since);
    await this.#pace.pause();
    this.#since = performance.now();
  }
}
