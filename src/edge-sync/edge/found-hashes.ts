/**
 * Hashes that were found lately, so that a recipient who gets much mail is not looked up in the store each time, which costs as
 * much as the hash. A table in which a hash has two places; whole hashes are compared, so that none is taken for another. It grows
 * with the organization.
 */

/** Words of 32 bits in a hash. */
const words = 8;
/** Hashes that the first table takes, which is made with the first one, and the largest: two and eight megabytes. Powers of two. */
const [fewest, most] = [65_536, 262_144];

export class FoundHashes {
  #table: Int32Array | undefined;
  #places = fewest;
  /** Hashes that the table has taken. */
  #taken = 0;

  /** `hash`: eight words. */
  has(hash: Int32Array): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    const at = this.#pairOf(hash);
    return isAt(table, at, hash) || isAt(table, at + words, hash);
  }

  /** The one that came first to its pair of places goes. */
  add(hash: Int32Array): void {
    // They drive each other out: the next size.
    if (this.#taken > this.#places && this.#places < most) this.#grow();
    this.#put((this.#table ??= new Int32Array(this.#places * words)), hash);
    this.#taken += 1;
  }

  clear(): void {
    this.#table?.fill(0);
    this.#taken = 0;
  }

  #grow(): void {
    const old = this.#table ?? new Int32Array(0);
    this.#places *= 2;
    const table = new Int32Array(this.#places * words);
    this.#taken = 0;
    const hash = new Int32Array(words);
    for (let at = 0; at < old.length; at += words) {
      for (let i = 0; i < words; i += 1) hash[i] = old[at + i] ?? 0;
      if (hash[0] === 0 && hash[1] === 0) continue;
      this.#put(table, hash);
      this.#taken += 1;
    }
    this.#table = table;
  }

  #put(table: Int32Array, hash: Int32Array): void {
    const at = this.#pairOf(hash);
    for (let i = 0; i < words; i += 1) {
      table[at + words + i] = table[at + i] ?? 0;
      table[at + i] = hash[i] ?? 0;
    }
  }

  /** Any of its words would do: the hash is keyed, so that nobody outside chooses places. */
  #pairOf(hash: Int32Array): number {
    return ((hash[0] ?? 0) & (this.#places / 2 - 1)) * 2 * words;
  }
}

function isAt(table: Int32Array, at: number, hash: Int32Array): boolean {
  for (let i = 0; i < words; i += 1) if (table[at + i] !== hash[i]) return false;
  return true;
}
