/** Reads BER as LDAP restricts it: RFC 4511 §5.1 (definite lengths, primitive strings, single-octet tags). */
import { LdapError } from '../../../ldap/index.ts';

/** The octets are no BER, or not the BER that stands in RFC 4511: the connection cannot go on (RFC 4511 §4.1.1). */
export class BerFault extends Error {
  override name = 'BerFault';
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Most octets of a length field: four can say 4 GB, more is never needed and was an attack on ldapjs. */
const maxLengthOctets = 4;

/**
 * Most elements of one message: three octets can make an object of a hundred, so that they are counted before they are made. The
 * largest filter that is allowed has some 60,000; a group with more members than this is written by several requests.
 */
const mostElements = 70_000;

/** Elements of one message that were read, by all its readers. */
interface Count {
  elements: number;
}

/** One element's contents, read from left to right. Never copies: what it returns are views of the message. */
export class BerReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #count: Count;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length, count: Count = { elements: 0 }) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#count = count;
  }

  /** Elements of the message that were read so far. */
  get elements(): number {
    return this.#count.elements;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** Another reader at the same place. */
  fork(): BerReader {
    return new BerReader(this.#bytes, this.#at, this.#end, this.#count);
  }

  /** Tag of the next element; -1 at the end. */
  get nextTag(): number {
    return this.done ? -1 : (this.#bytes[this.#at] ?? -1);
  }

  /** Enters the next element, which must carry the tag. Throws BerFault. */
  enter(tag: number): BerReader {
    const start = this.#header(tag);
    const end = this.#at;
    return new BerReader(this.#bytes, start, end, this.#count);
  }

  /** Contents of the next element. Throws BerFault. */
  octets(tag: number = tags.octetString): Buffer {
    const start = this.#header(tag);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Contents as UTF-8; undefined when they are not. Throws BerFault. */
  text(tag: number = tags.octetString): string | undefined {
    const start = this.#header(tag);
    const text = this.#bytes.toString('utf8', start, this.#at);
    if (!text.includes('\ufffd')) return text;
    // U+FFFD may have been sent as such: only what does not encode back was malformed.
    return Buffer.from(text).equals(this.#bytes.subarray(start, this.#at)) ? text : undefined;
  }

  /** Signed integer of at most four octets. Throws BerFault. */
  integer(tag: number = tags.integer): number {
    const start = this.#header(tag);
    const length = this.#at - start;
    if (length < 1 || length > 4) throw new BerFault(`integer of ${length} octets`);
    return this.#bytes.readIntBE(start, length);
  }

  enumerated(): number {
    return this.integer(tags.enumerated);
  }

  boolean(tag: number = tags.boolean): boolean {
    const start = this.#header(tag);
    if (this.#at - start !== 1) throw new BerFault('boolean is not one octet long');
    return this.#bytes[start] !== 0;
  }

  /** Steps over the next element, whatever it is. Throws BerFault. */
  skip(): void {
    this.#header(this.nextTag);
  }

  /** Throws BerFault when something is left. */
  finish(): void {
    if (!this.done) throw new BerFault('octets left over');
  }

  /** Steps over the next element and returns where its contents begin; `#at` is then where they end. */
  #header(tag: number): number {
    this.#count.elements += 1;
    if (this.#count.elements > mostElements)
      throw new LdapError('adminLimitExceeded', `request of more than ${mostElements} elements`);
    const found = this.nextTag;
    if (found !== tag || found < 0) throw new BerFault(`tag ${hex(tag)} expected, ${hex(found)} found`);
    let at = this.#at + 1;
    const first = this.#octet(at++);
    let length = first;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0 || count > maxLengthOctets) throw new BerFault(`length field ${hex(first)}`);
      length = 0;
      for (let i = 0; i < count; i += 1) length = length * 256 + this.#octet(at++);
    }
    if (length > this.#end - at) throw new BerFault('an element reaches over the end of the one around it');
    this.#at = at + length;
    return at;
  }

  #octet(at: number): number {
    const octet = at < this.#end ? this.#bytes[at] : undefined;
    if (octet === undefined) throw new BerFault('element is cut off');
    return octet;
  }
}

const hex = (octet: number): string => (octet < 0 ? 'the end' : `0x${octet.toString(16).padStart(2, '0')}`);
