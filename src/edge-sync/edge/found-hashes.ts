/**
 * Hashes that were found lately, so that a recipient who gets much mail is not looked up in the store each time, which costs as
 * much as the hash. A table in which a hash has one place; whole hashes are compared, so that none is taken for another. It grows
 * with the organization.
 */

/** Words of 32 bits in a hash. */
const words = 8;
/** Places of the first table, which is made with the first hash, and of the largest: two and eight megabytes. Powers of two. */
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
    const at = this.#placeOf(hash);
    for (let i = 0; i < words; i += 1) if (table[at + i] !== hash[i]) return false;
    return true;
  }

  /** Takes the place of the one that was there. */
  add(hash: Int32Array): void {
    // They drive each other out: the next size, which is filled again as they come.
    if (this.#taken > this.#places && this.#places < most) {
      this.#places *= 2;
      this.#table = undefined;
      this.#taken = 0;
    }
    this.#table ??= new Int32Array(this.#places * words);
    this.#table.set(hash, this.#placeOf(hash));
    this.#taken += 1;
  }

  clear(): void {
    this.#table?.fill(0);
    this.#taken = 0;
  }

  /** Any of its words would do: the hash is keyed, so that nobody outside chooses places. */
  #placeOf(hash: Int32Array): number {
    return ((hash[0] ?? 0) & (this.#places - 1)) * words;
  }
}
