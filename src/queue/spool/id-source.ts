import { SpoolError } from '../model/contract.ts';

/** Makes a limit durable: no id below it is handed out by a later run. */
export type Reserve = (limit: number) => Promise<void>;

/** Ids reserved at a time. A crash skips what is left of them, of some 9 thousand billions. */
const block = 65_536;

/** Ascending ids, never the same twice, over restarts and crashes. */
export class IdSource {
  readonly #reserve: Reserve;
  #next: number;
  #limit: number;
  #reserving = false;

  private constructor(next: number, reserve: Reserve) {
    this.#next = next;
    this.#limit = next;
    this.#reserve = reserve;
  }

  /** `next` is above every id that was ever handed out. */
  static async from(next: number, reserve: Reserve): Promise<IdSource> {
    const source = new IdSource(next, reserve);
    await source.#extend();
    return source;
  }

  /** Throws SpoolError when the store does not take reservations any more. */
  next(): number {
    if (this.#limit - this.#next < block / 2 && !this.#reserving) {
      // A failure shows itself when the ids run out; until then the next call tries again.
      this.#extend().catch(() => undefined);
    }
    if (this.#next >= this.#limit) throw new SpoolError('no message id could be reserved');
    return this.#next++;
  }

  async #extend(): Promise<void> {
    this.#reserving = true;
    try {
      const limit = this.#limit + block;
      await this.#reserve(limit);
      this.#limit = limit;
    } finally {
      this.#reserving = false;
    }
  }
}
