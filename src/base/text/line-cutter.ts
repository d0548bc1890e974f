const smallest = 1024;

/**
 * Cuts a stream of octets into lines that end with LF. Memory goes by octets, however small the pieces are that they come in, and
 * time is linear.
 */
export class LineCutter {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Octets of memory that the line takes which has begun. */
  get held(): number {
    return this.#bytes.length;
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

  #complete(last: Buffer): string {
    if (this.#length === 0) return last.toString('utf8');
    this.#add(last);
    const line = this.#bytes.toString('utf8', 0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return line;
  }

  /** The buffer doubles, so that each octet is copied a bounded number of times. */
  #add(part: Buffer): void {
    const needed = this.#length + part.length;
    if (needed > this.#bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(2 * needed, smallest));
      this.#bytes.copy(bytes, 0, 0, this.#length);
      this.#bytes = bytes;
    }
    part.copy(this.#bytes, this.#length);
    this.#length = needed;
  }
}
