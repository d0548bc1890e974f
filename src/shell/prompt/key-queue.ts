import type { Key } from './keys.ts';

/** Keys that were pressed and not yet used. Ctrl-C goes past the queue while something runs. */
export class KeyQueue {
  readonly #waiting: Key[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  /** Set while a line runs. */
  onInterrupt: (() => void) | undefined;

  push(key: Key): void {
    if (this.onInterrupt !== undefined && key.kind === 'key' && key.name === 'C-c') {
      // What was typed ahead was meant for what is stopped now.
      this.#waiting.length = 0;
      this.onInterrupt();
      return;
    }
    this.#waiting.push(key);
    this.#wake?.();
  }

  /** The terminal is gone. */
  end(): void {
    this.#ended = true;
    this.onInterrupt?.();
    this.#wake?.();
  }

  /** More keys are there already: drawing can wait. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Puts a key back: it was not meant for whoever took it. */
  unread(key: Key): void {
    this.#waiting.unshift(key);
  }

  /** The next key; undefined when the terminal is gone. */
  async next(): Promise<Key | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#waiting.shift();
  }
}
