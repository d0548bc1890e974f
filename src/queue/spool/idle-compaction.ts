import type { Clock } from '../../base/index.ts';

/** What is looked at and done. */
export interface CompactedStore {
  /** Transactions so far. */
  transactions(): number;
  /** Never rejects. */
  compact(): Promise<void>;
}

/** Time between two looks, in milliseconds. */
const lookEveryMs = 10_000;
/** Quiet is a store with so few transactions between two looks. */
const fewTransactions = 10;
/** So many quiet looks, one after the other, are a quiet time. */
const quietLooks = 3;

/** Has a store give room back when a busy time is over. */
export class IdleCompaction implements Disposable {
  readonly #clock: Clock;
  readonly #store: CompactedStore;
  #timer: { cancel(): void } | undefined;
  #seen: number;
  #quiet = 0;
  /** There were transactions since the last compaction. */
  #isDue = true;
  #ended = false;

  constructor(clock: Clock, store: CompactedStore) {
    this.#clock = clock;
    this.#store = store;
    this.#seen = store.transactions();
    this.#wait();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    if (!this.#ended) this.#timer = this.#clock.after(lookEveryMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const made = this.#store.transactions() - this.#seen;
    this.#seen += made;
    this.#isDue ||= made > 0;
    this.#quiet = made <= fewTransactions ? this.#quiet + 1 : 0;
    if (this.#isDue && this.#quiet >= quietLooks) {
      this.#isDue = false;
      await this.#store.compact();
    }
    this.#wait();
  }
}
