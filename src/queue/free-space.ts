import { statfsSync } from 'node:fs';
import type { Clock } from '../base/index.ts';

/** Age of a look at the disk that is still good, in milliseconds. */
const lookEveryMs = 2_000;

/** Watches the room on the disk. Looks only when asked: a spool that takes nothing costs nothing. */
export class FreeSpace {
  readonly #path: string;
  readonly #minFreeBytes: number;
  readonly #clock: Clock;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #enough = true;

  constructor(path: string, minFreeBytes: number, clock: Clock) {
    this.#path = path;
    this.#minFreeBytes = minFreeBytes;
    this.#clock = clock;
  }

  get enough(): boolean {
    const now = this.#clock.now();
    if (Math.abs(now - this.#lookedAt) >= lookEveryMs) {
      this.#lookedAt = now;
      this.#enough = this.#look();
    }
    return this.#enough;
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
