/** Looks through content while it streams by, and remembers what later stages would otherwise have to search for. */
import { isAscii } from 'node:buffer';

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;
const space = 0x20;
const tab = 0x09;
const noWords = new Int32Array(0);

export interface ContentScannerOptions {
  /** Lines longer than this set `longLine`; octets without the line end. 998 by default (RFC 5322 §2.1.1). */
  readonly maxLineBytes?: number;
}

/** Fed with unstuffed content, chunk by chunk; the properties are valid at any time for what was fed so far. */
export class ContentScanner {
  #size = 0;
  #headerSize = -1;
  #bareCr = -1;
  #bareLf = -1;
  #leadingDots = false;
  #eightBit = false;
  #utf8Header = false;
  #longLine = -1;
  readonly #maxLineBytes: number;
  /** Offset of the line that we are in. */
  #lineStart = 0;
  /** Last octet of the previous chunk; 0 before the first. */
  #last = 0;

  constructor({ maxLineBytes = 998 }: ContentScannerOptions = {}) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Octets fed. */
  get size(): number {
    return this.#size;
  }

  /**
   * Octets of the header block with its empty line; -1 until it has ended. 0 for content that begins with a space or tab:
   * that is no field but would continue the one before it (RFC 5322 §2.2.3), so it has no header.
   */
  get headerSize(): number {
    return this.#headerSize;
  }

  /** Offset of the first CR without LF; -1: none. */
  get bareCr(): number {
    return this.#bareCr;
  }

  /** Offset of the first LF without CR; -1: none. */
  get bareLf(): number {
    return this.#bareLf;
  }

  /** A line begins with '.'; also one that would only begin there if a bare CR or LF were made a CRLF. */
  get leadingDots(): boolean {
    return this.#leadingDots;
  }

  /** An octet above 127 was seen. */
  get eightBit(): boolean {
    return this.#eightBit;
  }

  /** An octet above 127 was seen in the header block. */
  get utf8Header(): boolean {
    return this.#utf8Header;
  }

  /** Offset of the first line longer than allowed; -1: none. */
  get longLine(): number {
    return this.#longLine;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const base = this.#size;
    if (base === 0 && (chunk[0] === space || chunk[0] === tab)) this.#headerSize = 0;
    const inHeader = this.#headerSize < 0;
    this.#scanLines(chunk, base);
    this.#size = base + chunk.length;
    this.#last = chunk[chunk.length - 1] ?? 0;
    // One more than allowed: the last octet may be the CR of the line end.
    if (this.#size - this.#lineStart > this.#maxLineBytes + 1) this.#foundLongLine(this.#lineStart);
    if (!isAscii(chunk)) this.#foundEightBit(chunk, base, inHeader);
  }

  /** No more comes: a CR at the very end is bare; a message without an empty line is all header. */
  end(): void {
    if (this.#last === cr && this.#bareCr < 0) this.#bareCr = this.#size - 1;
    if (this.#size - this.#lineStart > this.#maxLineBytes) this.#foundLongLine(this.#lineStart);
    if (this.#headerSize < 0) this.#headerSize = this.#size;
  }

  /**
   * Four octets at a time where there is text: a word with no octet below 14, where CR and LF are, is passed over. All that
   * changes at each line is a variable here, because content may be nothing but line ends.
   */
  #scanLines(chunk: Buffer, base: number): void {
    // A slice of a pooled buffer may begin anywhere; words must not, and may not lie behind the buffer's end.
    const head = (4 - (chunk.byteOffset & 3)) & 3;
    const count = (chunk.length - head) >> 2;
    const words = count > 0 ? new Int32Array(chunk.buffer, chunk.byteOffset + head, count) : noWords;
    const longest = this.#maxLineBytes;
    let lineStart = this.#lineStart - base;
    let [before, bareCr, bareLf, headerSize, leadingDots] = [
      this.#last,
      this.#bareCr,
      this.#bareLf,
      this.#headerSize,
      this.#leadingDots,
    ];
    const end = chunk.length;
    for (let i = 0; i < end; i++) {
      const octet = chunk[i] ?? 0;
      if (octet > cr) {
        // Behind a bare CR others may see the beginning of a line.
        if (before === cr && bareCr < 0) bareCr = base + i - 1;
        if (octet === dot && (lineStart === i || before === cr)) leadingDots = true;
        i = textUntil(chunk, words, head, i + 1) - 1;
        before = octet;
        continue;
      }
      if (octet === lf) {
        const length = i - lineStart - (before === cr ? 1 : 0);
        if (before !== cr && bareLf < 0) bareLf = base + i;
        if (length > longest) this.#foundLongLine(base + lineStart);
        if (length === 0 && headerSize < 0) headerSize = base + i + 1;
        lineStart = i + 1;
      } else if (before === cr && bareCr < 0) bareCr = base + i - 1;
      before = octet;
    }
    this.#lineStart = base + lineStart;
    [this.#bareCr, this.#bareLf, this.#headerSize, this.#leadingDots] = [bareCr, bareLf, headerSize, leadingDots];
  }

  #foundLongLine(lineStart: number): void {
    if (this.#longLine < 0) this.#longLine = lineStart;
  }

  #foundEightBit(chunk: Buffer, base: number, inHeader: boolean): void {
    this.#eightBit = true;
    if (!inHeader) return;
    const end = this.#headerSize < 0 ? chunk.length : this.#headerSize - base;
    if (!isAscii(chunk.subarray(0, end))) this.#utf8Header = true;
  }
}

/** Where text ends: the first octet from `from` on that is below 14. `words` begin `head` octets behind the chunk. */
function textUntil(chunk: Buffer, words: Int32Array, head: number, from: number): number {
  let i = from;
  while (i < chunk.length && (chunk[i] ?? 0) > cr) {
    if (((i - head) & 3) === 0) {
      const passed = head + plainUntil(words, (i - head) >> 2) * 4;
      if (passed > i) {
        i = passed;
        continue;
      }
    }
    i += 1;
  }
  return i;
}

/** The first word from `from` on that has an octet below 14. */
function plainUntil(words: Int32Array, from: number): number {
  let i = from;
  while (i < words.length) {
    const word = words[i] ?? 0;
    if (((word - 0x0e0e0e0e) & ~word & 0x80808080) !== 0) break;
    i += 1;
  }
  return i;
}
