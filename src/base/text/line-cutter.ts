const smallest = 1024;
/** Octets of a block of a long line. Blocks of one size leave no holes in the memory of the process that nothing else fits. */
const blockBytes = 64 * 1024;

/**
 * Cuts a stream of octets into lines that end with LF. Memory goes by octets, however small the pieces are that they come in, and
 * time is linear.
 */
export class LineCutter {
  /** Full blocks of the line that has begun, and the one that is being filled. */
  #full: Buffer[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #used = 0;

  /** Octets of memory that the line takes which has begun. */
  get held(): number {
    return this.#full.length * blockBytes + this.#bytes.length;
  }

  get #length(): number {
    return this.#full.length * blockBytes + this.#used;
  }

  /** The lines, as UTF-8 and without their end, that a piece completes. Throws RangeError for one of more than `most()` octets. */
  *lines(piece: Buffer, most: () => number): Generator<string> {
    for (let rest = piece; rest.length > 0; ) {
      const end = rest.indexOf(0x0a);
      const part = end < 0 ? rest : rest.subarray(0, end);
      if (this.#length + part.length > most()) throw new RangeError(`it said more than ${most()} octets in one line`);
      if (end < 0) return this.#add(part);
      yield this.#complete(part);
      rest = rest.subarray(end + 1);
    }
  }

  /** Forgets the line that has begun, and gives its memory back at once: garbage would wait until there is much of it. */
  clear(): void {
    for (const block of [...this.#full, this.#bytes]) giveBack(block);
    this.#full = [];
    this.#bytes = Buffer.alloc(0);
    this.#used = 0;
  }

  #complete(last: Buffer): string {
    if (this.#length === 0) return last.toString('utf8');
    const whole = Buffer.concat([...this.#full, this.#bytes.subarray(0, this.#used), last]);
    this.clear();
    return whole.toString('utf8');
  }

  #add(part: Buffer): void {
    for (let rest = part; rest.length > 0; ) {
      if (this.#used === blockBytes) this.#begin();
      const taken = rest.subarray(0, blockBytes - this.#used);
      this.#grow(this.#used + taken.length);
      taken.copy(this.#bytes, this.#used);
      this.#used += taken.length;
      rest = rest.subarray(taken.length);
    }
  }

  #begin(): void {
    this.#full.push(this.#bytes);
    this.#bytes = Buffer.alloc(0);
    this.#used = 0;
  }

  /** The first block doubles, so that each octet is copied a bounded number of times. */
  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return;
    const octets = this.#full.length > 0 ? blockBytes : Math.min(Math.max(2 * needed, smallest), blockBytes);
    const bytes = Buffer.allocUnsafeSlow(octets);
    this.#bytes.copy(bytes, 0, 0, this.#used);
    giveBack(this.#bytes);
    this.#bytes = bytes;
  }
}

/** Only for a buffer whose memory is its own, and that nobody reads any more. */
function giveBack({ buffer, length }: Buffer): void {
  if (length > 0 && buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
