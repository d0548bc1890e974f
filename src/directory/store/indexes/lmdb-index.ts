/** The index database as the planner reads it and operations change it. */
import type { Database } from 'lmdb';
import { type IndexReader, type KeyRange, sortedOnce } from './planner.ts';

/** Octets of an entry's number, in order of the numbers. */
export function idOctets(id: number): Buffer {
  const octets = Buffer.allocUnsafe(4);
  octets.writeUInt32BE(id);
  return octets;
}

export function idOf(octets: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export class LmdbIndex implements IndexReader {
  readonly #database: Database<Buffer, Buffer>;
  #complete: ReadonlySet<string> = new Set();
  #equality: ReadonlySet<string> = new Set();

  constructor(database: Database<Buffer, Buffer>, complete: readonly string[]) {
    this.#database = database;
    this.complete = new Set(complete);
  }

  /** Names of the indexes that are complete. */
  get complete(): ReadonlySet<string> {
    return this.#complete;
  }

  set complete(names: ReadonlySet<string>) {
    this.#complete = names;
    this.#equality = new Set([...names].filter((name) => name.startsWith('eq ')).map((name) => name.slice(3)));
  }

  /** Whether the equality index of an attribute, given by its key, is complete. */
  hasEquality(key: string): boolean {
    return this.#equality.has(key);
  }

  has(index: string): boolean {
    return this.#complete.has(index);
  }

  count(key: Buffer): number {
    return this.#database.getValuesCount(key);
  }

  countRange({ start, end }: KeyRange, atMost: number): number {
    return this.#database.getCount({ start, end, limit: atMost });
  }

  ids(key: Buffer, count = this.count(key)): Uint32Array {
    if (count === 1) {
      // The usual case of a search, and many times cheaper than a walk.
      const only = this.#database.getBinaryFast(key);
      return only === undefined ? new Uint32Array(0) : Uint32Array.of(idOf(only));
    }
    const list = new Uint32Array(count);
    let length = 0;
    for (const value of this.#database.getValues(key)) list[length++] = idOf(value);
    return list.subarray(0, length);
  }

  idsInRange({ start, end }: KeyRange): Uint32Array {
    const list: number[] = [];
    for (const { value } of this.#database.getRange({ start, end })) list.push(idOf(value));
    return sortedOnce([Uint32Array.from(list)]);
  }

  /** Whether anything stands under the key. */
  holds(key: Buffer): boolean {
    return this.#database.getBinaryFast(key) !== undefined;
  }

  /** Copies of the keys of a range, each once. */
  keysIn({ start, end }: KeyRange, bounds: { readonly limit: number; readonly exclusiveStart: boolean }): Buffer[] {
    return [...this.#database.getKeys({ start, end, ...bounds })].map((key) => Buffer.from(key));
  }

  /** The number under the key when there is exactly one; undefined when there is none; -1 when there are several. */
  single(key: Buffer): number | undefined {
    const first = this.#database.getBinaryFast(key);
    if (first === undefined) return undefined;
    const id = idOf(first);
    return this.#database.getValuesCount(key) === 1 ? id : -1;
  }

  /** All keys with their numbers, for verifying. */
  *everything(): Generator<{ readonly key: Buffer; readonly id: number }> {
    for (const { key, value } of this.#database.getRange()) yield { key, id: idOf(value) };
  }

  /** Within a transaction. */
  add(key: Buffer, id: number): void {
    void this.#database.put(key, idOctets(id));
  }

  /** Within a transaction. */
  remove(key: Buffer, id: number): void {
    void this.#database.remove(key, idOctets(id));
  }
}
