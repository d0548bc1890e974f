import type { Clock } from './clock.ts';

/**
 * Joins calls that come close together: the first is done at once, and all that follow within the interval are one call at its
 * end. So a single change is not delayed, and a thousand cost no more than one each interval.
 */
export function coalesced(intervalMs: number, clock: Clock, work: () => void): () => void {
  let resting = false;
  let asked = false;
  const run = (): void => {
    if (resting) {
      asked = true;
      return;
    }
    resting = true;
    asked = false;
    clock.after(intervalMs, () => {
      resting = false;
      if (asked) run();
    });
    work();
  };
  return run;
}
