import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/index.ts';

/** Octets that logs leave free on their disk: mail and configuration need them more. */
export const leftFreeBytes = 200 * 1024 ** 2;

/** Age of a look at the disk that is still good, in milliseconds. */
const ageMs = 5_000;

/** The free room on the disk that a log is on. */
export class DiskRoom {
  readonly #clock: Clock;
  readonly #minFreeBytes: number;
  #folder = '';
  #seenAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, minFreeBytes: number) {
    this.#clock = clock;
    this.#minFreeBytes = minFreeBytes;
  }

  /** Throws Error when there is too little for logs. */
  async need(folder: string): Promise<void> {
    if (folder === this.#folder && this.#clock.monotonic() - this.#seenAt < ageMs) return;
    const free = await freeOctets(folder);
    if (free < this.#minFreeBytes) {
      const megabytes = (octets: number): number => Math.floor(octets / 1024 ** 2);
      throw new Error(
        `only ${megabytes(free)} MB are free on its disk, and logs leave the last ${megabytes(this.#minFreeBytes)}`,
      );
    }
    this.#folder = folder;
    this.#seenAt = this.#clock.monotonic();
  }
}

/** Infinity: not known. */
async function freeOctets(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // The folder is not there yet, or whoever writes will hear what is wrong.
    return Number.POSITIVE_INFINITY;
  }
}
