/**
 * A Bloom filter of the terms (addresses, ids) in one file of a log, so that a search skips files without opening their text.
 * It is divided into blocks of 4 KB: asking for a term reads one block of each file.
 */

const blockBytes = 4_096;
const blockBits = blockBytes * 8;
/** Bits for each term and probes: some 6 of 10,000 files are read in vain. */
const bitsPerTerm = 16;
const probes = 10;
/** A file with more terms than this has no summary and is always read: 2 MB. */
const mostTerms = 1_000_000;

/** Numbers that were added lately, so that a term of many lines is kept once or few times. */
const recentPlaces = 8_192;
const firstRoom = 4_096;

/** Gathers terms; every term is kept as a number until the summary is made. */
export class TermSummary {
  readonly #recent = new Float64Array(recentPlaces).fill(-1);
  #hashes = new Float64Array(firstRoom);
  #count = 0;

  add(term: string): void {
    const hash = hashOf(term);
    const place = hash % recentPlaces;
    if (this.#recent[place] === hash) return;
    this.#recent[place] = hash;
    if (this.#count === this.#hashes.length) this.#makeRoom();
    if (this.#count < this.#hashes.length) this.#hashes[this.#count++] = hash;
  }

  /** Undefined: there are too many. */
  blocks(): Buffer | undefined {
    this.#merge();
    if (this.#count > mostTerms) return undefined;
    const count = Math.max(1, Math.ceil((this.#count * bitsPerTerm) / blockBits));
    const blocks = Buffer.alloc(count * blockBytes);
    for (let i = 0; i < this.#count; i++) {
      const hash = this.#hashes[i] ?? 0;
      const start = blockOf(hash, count) * blockBytes;
      for (let probe = 0; probe < probes; probe++) {
        const bit = bitOf(hash, probe);
        const at = start + (bit >>> 3);
        blocks[at] = (blocks[at] ?? 0) | (1 << (bit & 7));
      }
    }
    return blocks;
  }

  /** Merges what is equal; when little was, the room doubles, up to one term more than a summary may have. */
  #makeRoom(): void {
    this.#merge();
    if (this.#count * 2 < this.#hashes.length || this.#count > mostTerms) return;
    const larger = new Float64Array(Math.min(this.#hashes.length * 2, mostTerms + 1));
    larger.set(this.#hashes.subarray(0, this.#count));
    this.#hashes = larger;
  }

  #merge(): void {
    const sorted = this.#hashes.subarray(0, this.#count).sort();
    let kept = 0;
    for (const hash of sorted) if (kept === 0 || sorted[kept - 1] !== hash) sorted[kept++] = hash;
    this.#count = kept;
  }
}

/** Asks the block of the term, read by `read(offset, length)`; true: the file may hold it. */
export async function mayHold(
  term: string,
  octets: number,
  read: (offset: number, length: number) => Promise<Buffer>,
): Promise<boolean> {
  const count = Math.floor(octets / blockBytes);
  if (count === 0) return true;
  const hash = hashOf(term);
  const content = await read(blockOf(hash, count) * blockBytes, blockBytes);
  for (let probe = 0; probe < probes; probe++) {
    const bit = bitOf(hash, probe);
    if (((content[bit >>> 3] ?? 0xff) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** 52 bits: two hashes of 26, of FNV-1a (public domain, Fowler, Noll, Vo) with two seeds. */
function hashOf(term: string): number {
  let one = 0x811c9dc5;
  let two = 0x01000193;
  for (let i = 0; i < term.length; i++) {
    const code = term.charCodeAt(i);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x85ebca6b);
  }
  return (mixed(one) & 0x3ffffff) * 2 ** 26 + (mixed(two) & 0x3ffffff);
}

/** The last bits of FNV depend on few characters. */
function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (half ^ (half >>> 15)) >>> 0;
}

/** The block of a term, among so many. */
function blockOf(hash: number, count: number): number {
  return Math.floor(hash / 2 ** 26) % count;
}

/** The bit of a term in its block, for each probe. */
function bitOf(hash: number, probe: number): number {
  return ((hash % 2 ** 26) + probe * (Math.floor(hash / 2 ** 26) | 1)) % blockBits;
}
