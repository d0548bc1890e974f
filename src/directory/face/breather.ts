/** Gives way to other connections in the middle of long work. */

/** Longest that work goes on without giving way, in milliseconds. */
const sliceMs = 4;

export class Breather {
  #since = performance.now();

  /** Whether it is time to give way. Cheap, but not for the innermost loop. */
  get due(): boolean {
    return performance.now() - this.#since > sliceMs;
  }

  /** Lets everything else run that waits. */
  async rest(): Promise<void> {
    await new Promise((resume) => setImmediate(resume));
    this.#since = performance.now();
  }
}
