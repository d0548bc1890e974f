/**
 * Gathers small chunks into few buffers. Each packet comes as a buffer of its own, whose object alone takes some hundred octets:
 * a client that sends octet by octet would cost hundreds of times what it sends.
 */
export class GatheredChunks {
  #buffer: Buffer;
  #length = 0;

  /** `capacity`: octets to begin with; it doubles. Not from the shared pool: a slice would keep all of its 8 KB. */
  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Octets of memory in use. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Capacity that it would have with so many octets more. */
  capacityWith(octets: number): number {
    let capacity = this.#buffer.length;
    while (capacity < this.#length + octets) capacity *= 2;
    return capacity;
  }

  add(chunk: Buffer): void {
    const capacity = this.capacityWith(chunk.length);
    if (capacity > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(capacity);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length += chunk.length;
  }

  /** What was gathered; nothing may be added afterwards. */
  take(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }
}
