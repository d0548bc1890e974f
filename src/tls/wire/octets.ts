/** Writing and reading the vectors of the TLS presentation language, RFC 8446 §3.4. */

/** A number in so many octets. */
export function uint(value: number, length: 1 | 2 | 3): Buffer {
  const octets = Buffer.alloc(length);
  octets.writeUIntBE(value, 0, length);
  return octets;
}

/** A vector: its length in so many octets, then its content. */
export function vector(lengthOctets: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([uint(content.length, lengthOctets), content]);
}

/** A list of two-octet numbers, without a length. */
export function uint16s(values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => uint(value, 2)));
}

/** Reads one structure from its beginning. Every read throws RangeError where too few octets are left. */
export class OctetReader {
  #rest: Buffer;

  constructor(octets: Buffer) {
    this.#rest = octets;
  }

  /** Octets not read yet. */
  get left(): number {
    return this.#rest.length;
  }

  take(length: number): Buffer {
    if (length > this.#rest.length) throw new RangeError(`${length} octets wanted, ${this.#rest.length} left`);
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  uint(length: 1 | 2 | 3): number {
    return this.take(length).readUIntBE(0, length);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  vector(lengthOctets: 1 | 2 | 3): Buffer {
    return this.take(this.uint(lengthOctets));
  }
}
