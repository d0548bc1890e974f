/** Where the time comes from. A part, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Calls once after `delayMs`; the handle cancels. A pending call never keeps the process alive. */
  after(delayMs: number, call: () => void): { cancel(): void };
}

/** Longest delay that a timer of the runtime can hold, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, Math.min(Math.max(delayMs, 0), longestTimerMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
