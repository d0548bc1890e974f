/**
 * Hashes that were found lately, so that a recipient who gets much mail is not looked up in the store each time, which costs as
 * much as the hash. A table of fixed size in which a hash has one place; whole hashes are compared, so that none is taken for another.
 */

/** Words of 32 bits in a hash. */
const words = 8;
/** Two megabytes, made with the first hash. A power of two. */
const places = 65_536;

export class FoundHashes {
  #table: Int32Array | undefined;

  /** `hash`: eight words. */
  has(hash: Int32Array): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    const at = placeOf(hash);
    for (let i = 0; i < words; i += 1) if (table[at + i] !== hash[i]) return false;
    return true;
  }

  /** Takes the place of the one that was there. */
  add(hash: Int32Array): void {
    this.#table ??= new Int32Array(places * words);
    this.#table.set(hash, placeOf(hash));
  }

  clear(): void {
    this.#table?.fill(0);
  }
}

/** Any of its words would do: the hash is keyed, so that nobody outside chooses places. */
const placeOf = (hash: Int32Array): number => ((hash[0] ?? 0) & (places - 1)) * words;
