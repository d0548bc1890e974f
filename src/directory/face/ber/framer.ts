/**
 * Cuts a stream of octets into LDAP messages (RFC 4511 §4.1.1, §5.1). Looks at tag and length only, and works in linear time
 * however small the pieces are that the stream comes in. ldapjs's own parser joins all pieces anew for each one, has no limit,
 * and ends the process on a length with the highest bit set.
 */

/** What comes is no LDAP, or more than may be sent in one message. The connection cannot go on. */
export class FramingFault extends Error {
  override name = 'FramingFault';
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

const sequenceTag = 0x30;
const longestHeader = 6;
const smallestBuffer = 4096;
const nothing: Buffer = Buffer.alloc(0);

export class Framer {
  /** Largest message taken, header included. May be changed between two messages. */
  maxBytes: number;
  #bytes: Buffer = nothing;
  #start = 0;
  #end = 0;
  /** Size of the message that has begun, where it is known. */
  #announced: number | undefined;
  /** Whether `#bytes` was made here, so that octets may be written behind `#end`. */
  #own = false;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Octets received and not yet given out. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Octets of memory that this takes for what has come of a message, 0 when none has begun. */
  get held(): number {
    return this.#bytes.length;
  }

  push(piece: Buffer): void {
    if (this.buffered === 0) {
      this.#announced = undefined;
      // The usual case, whole messages in one piece, copies nothing.
      this.#set(piece, piece.length, false);
      return;
    }
    if (!this.#own || this.#bytes.length - this.#end < piece.length) this.#grow(piece.length);
    this.#end += piece.copy(this.#bytes, this.#end);
  }

  /** The next whole message, valid for good; undefined when more octets are needed. Throws FramingFault. */
  next(): Buffer | undefined {
    const total = this.#messageSize();
    if (total !== undefined && total > this.maxBytes)
      throw new FramingFault(`message of ${total} octets, ${this.maxBytes} is the limit`, true);
    if (total === undefined || total > this.buffered) {
      // The buffer that a packet came in is not kept for the sake of a few octets of it.
      this.#announced = total;
      if (this.buffered > 0 && !this.#own) this.#grow(0);
      return undefined;
    }
    const message = this.#bytes.subarray(this.#start, this.#start + total);
    this.#start += total;
    this.#announced = undefined;
    // A large message must not be kept until the next one comes.
    if (this.buffered === 0) this.clear();
    return message;
  }

  /** Forgets what has come. */
  clear(): void {
    this.#announced = undefined;
    this.#set(nothing, 0, false);
  }

  /** Size of the message that begins, from its header; undefined while the header is not complete. */
  #messageSize(): number | undefined {
    if (this.buffered === 0) return undefined;
    const tag = this.#bytes[this.#start] ?? 0;
    if (tag !== sequenceTag) throw new FramingFault(`message begins with 0x${tag.toString(16).padStart(2, '0')}`);
    if (this.buffered < 2) return undefined;
    const first = this.#bytes[this.#start + 1] ?? 0;
    if (first < 0x80) return 2 + first;
    const count = first & 0x7f;
    if (count === 0) throw new FramingFault('indefinite length');
    if (2 + count > longestHeader) throw new FramingFault(`length field of ${count} octets`);
    return this.buffered < 2 + count ? undefined : 2 + count + this.#bytes.readUIntBE(this.#start + 2, count);
  }

  /** Doubles, so that each octet is copied a bounded number of times, up to the size of the message. Messages given out keep the old octets. */
  #grow(more: number): void {
    const needed = this.buffered + more;
    const announced = this.#announced ?? Number.POSITIVE_INFINITY;
    const size = Math.max(needed, Math.min(2 * needed, announced), smallestBuffer);
    const bytes = Buffer.allocUnsafeSlow(size);
    this.#set(bytes, this.#bytes.copy(bytes, 0, this.#start, this.#end), true);
  }

  #set(bytes: Buffer, end: number, own: boolean): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = end;
    this.#own = own;
  }
}
