import type { Clock } from '../../base/index.ts';
import type { SharedNumbers } from './shared-numbers.ts';

/** What this worker has taken under one name: in the minute that runs, and in the one before. */
interface Taken {
  readonly place: number;
  minute: number;
  now: number;
  before: number;
}

/** Names that are remembered; beyond, those of past minutes are forgotten. */
const mostNames = 50_000;
const minuteMs = 60_000;
/** Exchange's largest number stands for no limit where the word Unlimited is not to be had; nothing happens so often in a minute. */
const unreachable = 2 ** 31 - 1;

/**
 * How much was taken in the last minute under each name, over all workers. The last minute is the one of the clock that runs, and of the one
 * before as large a share as the running one has still to go.
 */
export class MinuteRates {
  readonly #shared: SharedNumbers;
  readonly #clock: Clock;
  readonly #taken = new Map<string, Taken>();

  constructor(shared: SharedNumbers, clock: Clock) {
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Takes one more, unless `limit` were taken in the last minute. */
  take(name: string, limit: number): boolean {
    if (limit >= unreachable) return true;
    const time = this.#clock.now();
    const minute = Math.floor(time / minuteMs);
    const left = 1 - (time % minuteMs) / minuteMs;
    const taken = this.#current(name, minute);
    let sum = taken.now + taken.before * left;
    for (const [theirs = 0, now = 0, before = 0] of this.#shared.others(taken.place)) {
      if (theirs === minute) sum += now + before * left;
      else if (theirs === minute - 1) sum += now * left;
    }
    if (sum + 1 > limit) return false;
    taken.now++;
    this.#shared.write(taken.place, minute, taken.now, taken.before);
    return true;
  }

  #current(name: string, minute: number): Taken {
    let taken = this.#taken.get(name);
    if (taken === undefined) {
      if (this.#taken.size >= mostNames) this.#forget(minute);
      taken = { place: this.#shared.placeOf(`rate ${name}`), minute, now: 0, before: 0 };
      this.#taken.set(name, taken);
    }
    if (taken.minute === minute) return taken;
    taken.before = taken.minute === minute - 1 ? taken.now : 0;
    taken.now = 0;
    taken.minute = minute;
    return taken;
  }

  #forget(minute: number): void {
    for (const [name, taken] of this.#taken) if (taken.minute < minute - 1) this.#taken.delete(name);
    if (this.#taken.size >= mostNames) this.#taken.clear();
  }
}
