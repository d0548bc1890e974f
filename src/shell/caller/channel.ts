/** Passes values from one task to one reader, in order. The writer is held when the reader is far behind. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #waiting: T[] = [];
  #wake: (() => void) | undefined;
  #resume: (() => void) | undefined;
  #closed = false;

  constructor(limit = 256) {
    this.#limit = limit;
  }

  /** Takes a value at once. */
  push(value: T): void {
    if (this.#closed) return;
    this.#waiting.push(value);
    this.#wake?.();
  }

  /** The reader is far behind. */
  get isFull(): boolean {
    return this.#waiting.length >= this.#limit && !this.#closed;
  }

  /** Resolves when there is room again, or nobody reads any more. */
  async room(): Promise<void> {
    while (this.isFull) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    this.#resume?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const value = this.#waiting.shift();
        if (value !== undefined) {
          this.#resume?.();
          yield value;
        } else if (this.#closed) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.close();
    }
  }
}
