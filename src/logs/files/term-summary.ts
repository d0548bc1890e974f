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

/** Place of a term in a summary of so many blocks. */
interface Place {
  readonly block: number;
  readonly bits: readonly number[];
}

/** Gathers terms; every term is kept as a number until the summary is made. */
export class TermSummary {
  readonly #hashes = new Set<number>();

  add(term: string): void {
    if (this.#hashes.size <= mostTerms) this.#hashes.add(hashOf(term));
  }

  /** Undefined: there are too many. */
  blocks(): Buffer | undefined {
    if (this.#hashes.size > mostTerms) return undefined;
    const count = Math.max(1, Math.ceil((this.#hashes.size * bitsPerTerm) / blockBits));
    const blocks = Buffer.alloc(count * blockBytes);
    for (const hash of this.#hashes) {
      const { block, bits } = placeOf(hash, count);
      for (const bit of bits) {
        const at = block * blockBytes + (bit >>> 3);
        blocks[at] = (blocks[at] ?? 0) | (1 << (bit & 7));
      }
    }
    return blocks;
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
  const { block, bits } = placeOf(hashOf(term), count);
  const content = await read(block * blockBytes, blockBytes);
  return bits.every((bit) => ((content[bit >>> 3] ?? 0xff) & (1 << (bit & 7))) !== 0);
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

function placeOf(hash: number, count: number): Place {
  const [one, two] = [Math.floor(hash / 2 ** 26), hash % 2 ** 26];
  const bits = Array.from({ length: probes }, (_, i) => (two + i * (one | 1)) % blockBits);
  return { block: one % count, bits };
}
