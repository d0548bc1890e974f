import type { Edit } from './edit.ts';
import type { History } from './history.ts';
import type { Key } from './keys.ts';

/** Ends the search: the line that it leaves, and whether the key has done its work. */
export interface SearchEnd {
  readonly edit: Edit;
  readonly isUsed: boolean;
}

/** Incremental search through the history (Ctrl-R, Ctrl-S). Immutable. */
export class Search {
  readonly #history: History;
  readonly #saved: Edit;
  readonly query: string;
  /** Index of the entry that is shown. */
  readonly #at: number | undefined;
  /** Nothing further was found. */
  readonly isFailed: boolean;

  constructor(history: History, saved: Edit, query = '', at: number | undefined = undefined, isFailed = false) {
    this.#history = history;
    this.#saved = saved;
    this.query = query;
    this.#at = at;
    this.isFailed = isFailed;
  }

  /** The entry that is shown, or the line as it was. */
  get text(): string {
    return this.#at === undefined ? this.#saved.text : (this.#history.entries[this.#at] ?? '');
  }

  /** Where the query stands in the text; -1 for nowhere. */
  get place(): number {
    return this.query === '' ? -1 : this.text.toLowerCase().indexOf(this.query.toLowerCase());
  }

  take(key: Key): Search | SearchEnd {
    if (key.kind !== 'key') return this.#sought(this.query + key.text, this.#history.entries.length);
    switch (key.name) {
      case 'C-r':
        return this.#next(-1);
      case 'C-s':
        return this.#next(1);
      case 'Backspace':
        return this.#sought([...this.query].slice(0, -1).join(''), this.#history.entries.length);
      case 'C-g':
      case 'C-c':
        return { edit: this.#saved, isUsed: key.name === 'C-g' };
      default:
        return { edit: { ...this.#saved, text: this.text, cursor: this.text.length }, isUsed: key.name === 'Escape' };
    }
  }

  #next(step: 1 | -1): Search {
    const from = this.#at ?? this.#history.entries.length;
    const found = this.#find(this.query, from, step, this.text);
    return new Search(this.#history, this.#saved, this.query, found ?? this.#at, found === undefined);
  }

  #sought(query: string, from: number): Search {
    const found = query === '' ? undefined : this.#find(query, from, -1);
    return new Search(this.#history, this.#saved, query, found, query !== '' && found === undefined);
  }

  #find(query: string, from: number, step: 1 | -1, not?: string): number | undefined {
    const folded = query.toLowerCase();
    return this.#history.find(from, step, (entry) => entry.toLowerCase().includes(folded), not);
  }
}
