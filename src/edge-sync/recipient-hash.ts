/** Hashes of addresses: HMAC-SHA-256 (RFC 2104) with the key of the subscription, so that no dictionary finds addresses without it. */
import { hash, randomBytes } from 'node:crypto';

/** Octets of a key, and of a hash. */
export const hashBytes = 32;
/** RFC 2104 §2: octets of a block of SHA-256. */
const blockBytes = 64;

export function newRecipientKey(): Buffer {
  return randomBytes(hashBytes);
}

/**
 * Hashes canonical addresses under one key. The two padded keys are laid out once: `crypto.hash` on them is several times
 * faster than `createHmac`, which the lookup of every RCPT would pay for.
 */
export class RecipientHasher {
  readonly #inner = Buffer.alloc(1024);
  /** Its beginnings, by length: making a view costs a fifth of a hash. */
  readonly #beginnings: Buffer[] = [];
  readonly #outer = Buffer.alloc(blockBytes + hashBytes);

  /** Throws RangeError for a key of another length. */
  constructor(key: Buffer) {
    if (key.length !== hashBytes) throw new RangeError(`a recipient key has ${hashBytes} octets, not ${key.length}`);
    for (let i = 0; i < blockBytes; i++) {
      const octet = key[i] ?? 0;
      this.#inner[i] = octet ^ 0x36;
      this.#outer[i] = octet ^ 0x5c;
    }
  }

  /** 32 octets of its own. */
  hash(canonical: string): Buffer {
    const octets = Buffer.allocUnsafe(hashBytes);
    this.hashInto(octets, canonical);
    return octets;
  }

  /** Writes the hash into the first 32 octets. */
  hashInto(octets: Buffer, canonical: string): void {
    // As text of one octet a character: a buffer made by OpenSSL costs five times as much.
    this.#outer.write(hash('sha256', this.#padded(canonical), 'binary'), blockBytes, 'latin1');
    octets.write(hash('sha256', this.#outer, 'binary'), 0, 'latin1');
  }

  #padded(canonical: string): Buffer {
    const inner = this.#inner;
    // A UTF-16 unit is three octets of UTF-8 at most.
    if (blockBytes + canonical.length * 3 > inner.length)
      return Buffer.concat([inner.subarray(0, blockBytes), Buffer.from(canonical)]);
    const length = blockBytes + inner.write(canonical, blockBytes, 'utf8');
    return (this.#beginnings[length] ??= inner.subarray(0, length));
  }
}
