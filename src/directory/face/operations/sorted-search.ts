/** The entries of a search in the order a client asks for (RFC 2891): all are read before the first one is sent. */
import { type Pace, unpaced } from '../../../base/index.ts';
import type { DirectoryEntry, DirectoryReader, SearchRequest } from '../../store/entries/contract.ts';
import type { EntryRights } from '../access/access-policy.ts';
import { TimeSlice } from '../time-slice.ts';
import { type EntrySorter, type SortedRow, SortRefusal } from './sort-keys.ts';

/** Rows sorted at once before they are merged, and steps of a merge between two looks at the clock. */
const runLength = 1000;

/** Rows that sorted searches of all connections hold together: a bound on memory that no single search can break. */
export class SortBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Throws SortRefusal when there is no room for one more. */
  take(): void {
    if (this.#held >= this.#limit) throw new SortRefusal('adminLimitExceeded', 'too much is being sorted already');
    this.#held += 1;
  }

  give(rows: number): void {
    this.#held -= rows;
  }
}

export interface SortParts {
  readonly store: DirectoryReader;
  readonly budget: SortBudget;
  /** Rights on an entry: those that may not be seen are not counted either. */
  readonly rightsOn: (entry: DirectoryEntry) => EntryRights;
  /** Most entries of one search. */
  readonly limit: number;
}

/** Order and identity of the entries found; the entries themselves are read again when they are sent. */
export class SortedEntries implements Disposable {
  readonly #parts: SortParts;
  #rows: SortedRow[] = [];

  private constructor(parts: SortParts) {
    this.#parts = parts;
  }

  /** Reads and sorts. Throws SortRefusal for more entries than can be held. */
  static async of(
    request: SearchRequest,
    sorter: EntrySorter,
    parts: SortParts,
    signal: AbortSignal,
  ): Promise<SortedEntries> {
    const sorted = new SortedEntries(parts);
    try {
      await sorted.#collect(request, sorter, signal);
      sorted.#rows = await sortGently(sorted.#rows, (a, b) => sorter.compare(a, b), signal, request.pace);
      return sorted;
    } catch (error) {
      sorted[Symbol.dispose]();
      throw error;
    }
  }

  /** Entries that are gone meanwhile are left out. */
  *entries(): Generator<DirectoryEntry, void, undefined> {
    for (const { guid, deleted } of this.#rows) {
      const entry = deleted ?? this.#parts.store.byGuid(guid);
      if (entry !== undefined) yield entry;
    }
  }

  [Symbol.dispose](): void {
    this.#parts.budget.give(this.#rows.length);
    this.#rows = [];
  }

  async #collect(request: SearchRequest, sorter: EntrySorter, signal: AbortSignal): Promise<void> {
    const { store, budget, limit, rightsOn } = this.#parts;
    for await (const entry of store.searchGently(request, signal)) {
      const rights = rightsOn(entry);
      if (!rights.visible) continue;
      if (this.#rows.length >= limit)
        throw new SortRefusal('adminLimitExceeded', `more than ${limit} entries are not sorted`);
      budget.take();
      this.#rows.push(sorter.row(entry, (attribute) => rights.reads(attribute)));
    }
  }
}

/** Sorts by merging short sorted runs, and gives way in between. Stable. Throws the reason of the signal. */
export async function sortGently<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  signal: AbortSignal,
  pace: Pace = unpaced,
): Promise<T[]> {
  const slice = new TimeSlice(pace);
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += runLength) {
    runs.push(items.slice(at, at + runLength).sort(compare));
    if (slice.over) await slice.yield();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      signal.throwIfAborted();
      merged.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], compare, slice));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  slice: TimeSlice,
): Promise<T[]> {
  const merged: T[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [a, b] = [left[i], right[j]];
    const takeLeft = b === undefined || (a !== undefined && compare(a, b) <= 0);
    merged.push((takeLeft ? a : b) as T);
    if (takeLeft) i += 1;
    else j += 1;
    if (merged.length % runLength === 0 && slice.over) await slice.yield();
  }
  return merged;
}
