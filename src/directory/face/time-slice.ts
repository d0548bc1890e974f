/** Keeps long work from holding up other connections. */

/** Longest that work goes on without yielding, in milliseconds. */
const sliceMs = 4;

export class TimeSlice {
  #since = performance.now();

  /** Whether it is time to yield. Cheap, but not for the innermost loop. */
  get over(): boolean {
    return performance.now() - this.#since > sliceMs;
  }

  /** Lets everything else run that waits, and begins a new slice. */
  async yield(): Promise<void> {
    await new Promise((resume) => setImmediate(resume));
    this.#since = performance.now();
  }
}
