/**
 * Hashes that are surely in no entry, so that a flood of unknown recipients does not look each up in the store, which costs more
 * than the hash. A Bloom filter of all hashes: it never calls one absent that is there. It is read when it pays, in the background,
 * and follows the log of changes.
 */
import type { Change, DirectoryReader, ValueProbe } from '../../directory/index.ts';

export interface AbsentHashesParts {
  readonly store: Pick<DirectoryReader, 'changesSince' | 'byGuid' | 'usn'>;
  readonly probe: Pick<ValueProbe, 'heldAfter'>;
  readonly attribute: string;
}

/** Bits for each hash, and bits that a hash sets: one absent hash in 400 is looked up all the same. */
const [bitsEach, bitsSet] = [16, 4];
/** Hashes that the smallest filter is made for, of 128 kB, and the largest that is made on a guess, of 8 MB. Powers of two. */
const [fewest, mostGuessed] = [65_536, 4_194_304];
/** Lookups in vain before the filter is worth reading; an organization of more hashes takes one for each. */
const worthReading = 10_000;
/** Hashes read in one turn of the event loop, some milliseconds. */
const oneTurn = 2_000;
/** Changes looked at in one turn; where there are more, the filter is read anew later. */
const mostChanges = 1_000;

export class AbsentHashes {
  readonly #parts: AbsentHashesParts;
  #filter: HashFilter | undefined;
  /** Change of the store up to which the filter is right. */
  #upTo = 0;
  #inVain = 0;
  #held = 0;
  #reading = false;

  constructor(parts: AbsentHashesParts) {
    this.#parts = parts;
  }

  /** `hash`: eight words. True when no entry has it; false when it may be there. */
  has(hash: Int32Array): boolean {
    return this.#filter?.mayHold(hash) === false;
  }

  /** The store was looked at in vain. */
  missed(): void {
    this.#inVain += 1;
    if (this.#filter !== undefined || this.#reading || this.#inVain < Math.max(worthReading, this.#held)) return;
    this.#reading = true;
    void this.#read().then((filter) => {
      this.#reading = false;
      this.#inVain = 0;
      this.#filter = filter;
      this.follow();
    });
  }

  /** Takes up what changed in the store. */
  follow(): void {
    const filter = this.#filter;
    if (filter === undefined) return;
    const { complete, changes, usn } = this.#parts.store.changesSince(this.#upTo, mostChanges);
    if (!complete || changes.length === mostChanges) return this.clear();
    for (const change of changes) for (const hash of this.#hashesOf(change)) filter.add(hash);
    this.#upTo = usn;
    if (filter.isFull) this.clear();
  }

  clear(): void {
    this.#filter = undefined;
  }

  #hashesOf({ kind, guid, attributes }: Change): readonly Buffer[] {
    const { store, attribute } = this.#parts;
    // What went away may stay in the filter: the store is looked at then.
    if (kind === 'delete' || !attributes.includes(attribute)) return [];
    return store.byGuid(guid)?.buffers(attribute) ?? [];
  }

  async #read(): Promise<HashFilter | undefined> {
    try {
      for (let size = this.#estimate(); ; size *= 2) {
        const upTo = this.#parts.store.usn;
        const filter = await this.#readInto(new HashFilter(size));
        if (filter.isFull) continue;
        [this.#upTo, this.#held] = [upTo, filter.hashes];
        return filter;
      }
    } catch {
      // The store was closed, or cannot be read: whoever looks a recipient up says so. Without a filter every hash is looked up.
      return undefined;
    }
  }

  /** A size for the hashes that are there, by the first of them: they lie as evenly as random numbers do. */
  #estimate(): number {
    const first = this.#parts.probe.heldAfter(undefined, oneTurn);
    const part = first.length < oneTurn ? 1 : ((first.at(-1)?.readUInt32BE() ?? 0) + 1) / 2 ** 32;
    return Math.min(mostGuessed, Math.max(fewest, powerOfTwo((first.length / part) * 1.1)));
  }

  async #readInto(filter: HashFilter): Promise<HashFilter> {
    let after: Buffer | undefined;
    do {
      const held = this.#parts.probe.heldAfter(after, oneTurn);
      for (const hash of held) filter.add(hash);
      after = held.length < oneTurn ? undefined : held.at(-1);
      await new Promise((resume) => setImmediate(resume));
    } while (after !== undefined && !filter.isFull);
    return filter;
  }
}

/** Bits of hashes. The hash is keyed: nobody outside chooses its bits. */
class HashFilter {
  readonly #bits: Int32Array;
  readonly #size: number;
  /** The words of the hash that is added: its octets may lie anywhere. */
  readonly #words = new Int32Array(bitsSet);
  readonly #octets = Buffer.from(this.#words.buffer);
  hashes = 0;

  /** `size`: hashes that it is made for, a power of two. */
  constructor(size: number) {
    this.#size = size;
    this.#bits = new Int32Array((size * bitsEach) / 32);
  }

  get isFull(): boolean {
    return this.hashes > this.#size;
  }

  add(hash: Buffer): void {
    this.hashes += 1;
    hash.copy(this.#octets);
    for (const word of this.#words) {
      const at = this.#placeOf(word);
      this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (word & 31));
    }
  }

  mayHold(hash: Int32Array): boolean {
    for (let i = 0; i < bitsSet; i += 1) {
      const word = hash[i] ?? 0;
      if (((this.#bits[this.#placeOf(word)] ?? 0) & (1 << (word & 31))) === 0) return false;
    }
    return true;
  }

  /** The bit in its word is chosen by the five lowest. */
  #placeOf(word: number): number {
    return (word >>> 5) & (this.#bits.length - 1);
  }
}

/** The least power of two that is not below. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}
