import { statfsSync } from 'node:fs';
import type { Clock, FaultReport } from '../../base/index.ts';

/** Age of a look at the disk that is still good, in milliseconds. */
const lookEveryMs = 2_000;
/** While there is too little room it looks by itself, in milliseconds. */
const lookAgainMs = 10_000;

const diskFault = 'spool disk';

/** Watches the room on the disk. Looks only when asked: a spool that takes nothing costs nothing. */
export class FreeSpace {
  readonly #path: string;
  readonly #minFreeBytes: number;
  readonly #clock: Clock;
  readonly #faults: FaultReport;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #enough = true;
  #isWatching = false;

  constructor(path: string, minFreeBytes: number, { clock, faults }: { clock: Clock; faults: FaultReport }) {
    this.#path = path;
    this.#minFreeBytes = minFreeBytes;
    this.#clock = clock;
    this.#faults = faults;
  }

  get enough(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt >= lookEveryMs) {
      this.#lookedAt = now;
      this.#enough = this.#look();
      this.#report();
    }
    return this.#enough;
  }

  #report(): void {
    if (this.#enough) return this.#faults.end(diskFault);
    const megabytes = Math.floor(this.#minFreeBytes / 1024 ** 2);
    this.#faults.begin(
      diskFault,
      `no mail is accepted (452 4.3.1): less than ${megabytes} MB are free on the disk of ${this.#path}`,
    );
    // The end is told as well when nobody asks.
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#clock.after(lookAgainMs, () => {
      this.#isWatching = false;
      void this.enough;
    });
  }

  /** A write failed: the next question looks at the disk again. */
  doubt(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  #look(): boolean {
    try {
      const { bavail, bsize } = statfsSync(this.#path);
      return bavail * bsize >= this.#minFreeBytes;
    } catch {
      // Whoever writes will hear what is wrong.
      return true;
    }
  }
}
