import type { History } from './history.ts';

/** A walk through the history with Up and Down, among the entries that begin as the line did. */
export class HistoryWalk {
  readonly #history: History;
  #at: number | undefined;
  #begun = '';

  constructor(history: History) {
    this.#history = history;
  }

  /** The line was changed: the next step begins anew. */
  restart(): void {
    this.#at = undefined;
  }

  /** The entry before; undefined at the oldest one. */
  back(text: string): string | undefined {
    if (this.#at === undefined) this.#begun = text;
    return this.#step(-1, text);
  }

  /** The entry behind; at the newest one the line as it was; undefined when no walk was begun. */
  forward(text: string): string | undefined {
    if (this.#at === undefined) return undefined;
    const next = this.#step(1, text);
    if (next !== undefined) return next;
    this.#at = undefined;
    return this.#begun;
  }

  #step(step: 1 | -1, text: string): string | undefined {
    const folded = this.#begun.toLowerCase();
    const from = this.#at ?? this.#history.entries.length;
    const found = this.#history.find(from, step, (entry) => entry.toLowerCase().startsWith(folded), text);
    if (found === undefined) return undefined;
    this.#at = found;
    return this.#history.entries[found];
  }
}
