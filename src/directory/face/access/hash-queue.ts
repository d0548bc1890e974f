/**
 * Who waits for a password to be hashed. A hash costs a core some 50 ms, and strangers ask for as many as they like: sources that
 * an account has bound from go first, and have one of the two places to themselves.
 */
import { LdapError } from '../../../ldap/index.ts';

/** Whose password it is that is checked. */
export interface HashRequester {
  /** See `sourceOf`. */
  readonly source: string;
  /** Whether any account has bound from this source: not whether this one has, which the time of the answer would tell. */
  readonly known: boolean;
}

/** Hashes that run at once: they share the runtime's few threads with everything that waits for the disk. */
const maxRunning = 2;
/** Of them for unknown sources. */
const maxRunningOfStrangers = 1;

type Job = () => void;

interface LaneLimits {
  /** Hashes that run or wait; more are refused, so that guessing cannot fill the memory. */
  readonly maxWaiting: number;
  /** Those of them for one source. */
  readonly maxWaitingPerSource: number;
}

/** Those that wait, oldest first, and how many of each source there are. */
class Lane {
  running = 0;
  readonly #limits: LaneLimits;
  readonly #waiting: Job[] = [];
  readonly #bySource = new Map<string, number>();

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  /** Counts one more of a source; '' has no bound of its own. Throws LdapError busy. */
  enter(source: string): void {
    const { maxWaiting, maxWaitingPerSource } = this.#limits;
    const same = this.#bySource.get(source) ?? 0;
    if (this.#waiting.length + this.running >= maxWaiting || (source !== '' && same >= maxWaitingPerSource))
      throw new LdapError('busy', 'too many passwords are being checked');
    this.#bySource.set(source, same + 1);
  }

  leave(source: string): void {
    const rest = (this.#bySource.get(source) ?? 1) - 1;
    if (rest === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, rest);
  }

  push(job: Job): void {
    this.#waiting.push(job);
  }

  shift(): Job | undefined {
    return this.#waiting.shift();
  }
}

export class HashQueue {
  readonly #known = new Lane({ maxWaiting: 64, maxWaitingPerSource: 48 });
  readonly #strangers = new Lane({ maxWaiting: 64, maxWaitingPerSource: 4 });

  /** Runs the work in its turn. Without a requester, as when a password is set, it goes with the known ones. Throws LdapError busy. */
  async run<T>(requester: HashRequester | undefined, work: () => Promise<T>): Promise<T> {
    const { source, known } = requester ?? { source: '', known: true };
    const lane = known ? this.#known : this.#strangers;
    lane.enter(source);
    try {
      await this.#turn(lane);
      try {
        return await work();
      } finally {
        lane.running -= 1;
        this.#next();
      }
    } finally {
      lane.leave(source);
    }
  }

  /** Resolves when one of the lane may run; it counts as running from then on. */
  #turn(lane: Lane): Promise<void> {
    return new Promise((resolve) => {
      lane.push(() => {
        lane.running += 1;
        resolve();
      });
      this.#next();
    });
  }

  #next(): void {
    if (this.#known.running + this.#strangers.running >= maxRunning) return;
    const known = this.#known.shift();
    if (known !== undefined) return known();
    if (this.#strangers.running < maxRunningOfStrangers) this.#strangers.shift()?.();
  }
}
