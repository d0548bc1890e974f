import { extent, type IpNumber, type IpRange } from '../../base/index.ts';

/** A range with what belongs to it. */
export interface RangeEntry<T> {
  readonly range: IpRange;
  readonly value: T;
}

interface Boundary<T> {
  readonly at: bigint;
  readonly entry: RangeEntry<T>;
  /** Its place in the order of preference. */
  readonly rank: number;
  readonly opens: boolean;
}

/** Finds the most specific of many ranges that holds an address, by binary search over disjoint segments. */
export class RangeIndex<T> {
  #families: ReadonlyMap<4 | 6, Segments<T>>;

  /** Where two ranges have the same extent, `prefer` decides: negative for the first. */
  constructor(entries: readonly RangeEntry<T>[], prefer: (a: T, b: T) => number) {
    const ranked = entries.toSorted((a, b) => compareExtent(a.range, b.range) || prefer(a.value, b.value));
    this.#families = new Map([4, 6].map((family) => [family as 4 | 6, new Segments(ranked, family as 4 | 6)]));
  }

  /** The same as find() for an IPv4 address as a number. */
  findIpv4(address: number): RangeEntry<T> | undefined {
    return this.#families.get(4)?.findNumber(address);
  }

  /** The entry with the smallest range around the address; undefined when none holds it. */
  find(address: IpNumber): RangeEntry<T> | undefined {
    return this.#families.get(address.family)?.find(address.value);
  }
}

function compareExtent(a: IpRange, b: IpRange): number {
  const [x, y] = [extent(a), extent(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Segments of one family: from `starts[i]` up to the next start, the winner is `winners[i]`. */
class Segments<T> {
  #starts: bigint[] = [];
  /** Those of IPv4 as plain numbers, which are found several times as fast. */
  readonly #numbers: Float64Array;
  #winners: (RangeEntry<T> | undefined)[] = [];

  constructor(ranked: readonly RangeEntry<T>[], family: 4 | 6) {
    const boundaries = ranked
      .flatMap((entry, rank): Boundary<T>[] =>
        entry.range.family === family
          ? [
              { at: entry.range.first, entry, rank, opens: true },
              { at: entry.range.last + 1n, entry, rank, opens: false },
            ]
          : [],
      )
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const open = new OpenRanks();
    for (let i = 0; i < boundaries.length; ) {
      const at = boundaries[i]?.at ?? 0n;
      for (; i < boundaries.length && boundaries[i]?.at === at; i++) {
        const { rank, opens } = boundaries[i] as Boundary<T>;
        if (opens) open.add(rank);
        else open.remove(rank);
      }
      this.#starts.push(at);
      this.#winners.push(open.least === undefined ? undefined : ranked[open.least]);
    }
    this.#numbers = Float64Array.from(family === 4 ? this.#starts : [], Number);
  }

  findNumber(value: number): RangeEntry<T> | undefined {
    const numbers = this.#numbers;
    let low = 0;
    let high = numbers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((numbers[middle] ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return this.#winners[low - 1];
  }

  find(value: bigint): RangeEntry<T> | undefined {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0n) <= value) low = middle + 1;
      else high = middle;
    }
    return this.#winners[low - 1];
  }
}

/** The ranks of the ranges that are open at one place: a binary heap, with removals done late. */
class OpenRanks {
  #heap: number[] = [];
  #closed = new Set<number>();

  get least(): number | undefined {
    while (this.#heap[0] !== undefined && this.#closed.delete(this.#heap[0])) this.#pop();
    return this.#heap[0];
  }

  add(rank: number): void {
    const heap = this.#heap;
    let i = heap.push(rank) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] ?? 0) <= rank) break;
      heap[i] = heap[parent] ?? 0;
      i = parent;
    }
    heap[i] = rank;
  }

  remove(rank: number): void {
    this.#closed.add(rank);
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
      if ((heap[child] ?? 0) >= last) break;
      heap[i] = heap[child] ?? 0;
      i = child;
    }
    heap[i] = last;
  }
}
