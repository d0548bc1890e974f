/** Where the time comes from. A part, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC: for what is shown or kept on disk. An administrator or NTP may set it, in either direction. */
  now(): number;
  /** Milliseconds since some moment before the process began: for durations and waits. It never goes back and is never set. */
  monotonic(): number;
  /** Calls once after `delayMs`; the handle cancels. A pending call never keeps the process alive. */
  after(delayMs: number, call: () => void): { cancel(): void };
}

/** Longest delay that a timer of the runtime can hold, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, Math.min(Math.max(delayMs, 0), longestTimerMs));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
