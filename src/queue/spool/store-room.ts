import { type FileHandle, open } from 'node:fs/promises';

/** Most that is added at a time, in octets: the next commit syncs it, and the sessions in it wait. */
const stepBytes = 4 * 1024 ** 2;
const zeros = Buffer.alloc(1024 ** 2);

/** How far LMDB has come in its file. */
export interface StoreExtent {
  /** Octets from the beginning to the last page ever used. */
  end(): number;
  /** Octets of the pages that hold something now: below `end` when pages were freed. Slower to tell. */
  inUse(): number;
}

/**
 * Keeps blocks allocated beyond what LMDB uses of its file. When a write of LMDB itself fails for want of room, lmdb 3.5.6 formats
 * the fault into a buffer that is too small and the process dies of a damaged heap. So the room is taken before, by
 * ordinary writes that may fail: afterwards LMDB only writes where blocks are. (Not so on file systems that never
 * write in place, as btrfs and ZFS; there the minimum of free room must do.)
 */
export class StoreRoom implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #extent: StoreExtent;
  #allocated: number;

  private constructor(file: FileHandle, allocated: number, extent: StoreExtent) {
    this.#file = file;
    this.#allocated = allocated;
    this.#extent = extent;
  }

  static async open(path: string, extent: StoreExtent): Promise<StoreRoom> {
    const file = await open(path, 'r+');
    return new StoreRoom(file, (await file.stat()).size, extent);
  }

  /** True when so many octets may be written at the end of what is used without asking for more. */
  has(octets: number): boolean {
    return this.#extent.end() + octets <= this.#allocated;
  }

  /** The same, with the pages that were freed before the end. A value of several pages may find no run of them. */
  hasWithFreed(octets: number): boolean {
    return this.#extent.inUse() + octets <= this.#allocated;
  }

  /** Throws what the system says when there is no room. */
  async reserve(octets: number): Promise<void> {
    const wanted = this.#extent.end() + octets;
    try {
      await this.#extend(Math.max(wanted, this.#allocated + stepBytes));
    } catch (error) {
      // Not enough for a whole step, but perhaps for this.
      if (wanted > this.#allocated) await this.#extend(wanted).catch(() => Promise.reject(asError(error)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #extend(end: number): Promise<void> {
    while (this.#allocated < end) {
      const length = Math.min(zeros.length, end - this.#allocated);
      const { bytesWritten } = await this.#file.write(zeros, 0, length, this.#allocated);
      if (bytesWritten === 0) throw new Error('the store cannot be made larger');
      this.#allocated += bytesWritten;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
