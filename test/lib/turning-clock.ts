/** Waits that a busy machine does not cut short. */
import { type Clock, systemClock } from '../../src/base/index.ts';

const steps = 10;

/**
 * The machine's clock, whose waits pass only while the process turns: in steps, between which the sockets are read. A process that
 * did not run for a while has waited for one step then, so that a limit of a few milliseconds meets a silent peer and no slow one.
 */
export const turningClock: Clock = {
  ...systemClock,
  after(delayMs, call) {
    let left = steps;
    let pending = systemClock.after(delayMs / steps, step);
    function step(): void {
      left -= 1;
      if (left === 0) call();
      else pending = systemClock.after(delayMs / steps, step);
    }
    return { cancel: () => pending.cancel() };
  },
};
