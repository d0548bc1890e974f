/** Entries of a search, one after the other, with one that can be put back: to know whether there are more, one more must be read. */
import type { DirectoryEntry } from '../../store/entries/contract.ts';

export class EntryCursor {
  readonly #entries: AsyncIterator<DirectoryEntry, unknown> | Iterator<DirectoryEntry, unknown>;
  #back: DirectoryEntry | undefined;

  constructor(entries: AsyncIterable<DirectoryEntry> | Iterable<DirectoryEntry>) {
    this.#entries = Symbol.asyncIterator in entries ? entries[Symbol.asyncIterator]() : entries[Symbol.iterator]();
  }

  /** Undefined at the end. */
  async next(): Promise<DirectoryEntry | undefined> {
    const back = this.#back;
    if (back !== undefined) {
      this.#back = undefined;
      return back;
    }
    const step = await this.#entries.next();
    return step.done === true ? undefined : step.value;
  }

  putBack(entry: DirectoryEntry): void {
    this.#back = entry;
  }
}
