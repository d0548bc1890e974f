/** The key schedule of TLS 1.3, as far as reading a server's first flight and finishing the handshake need it: RFC 8446 §7. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { uint, vector } from './octets.ts';
import { recordTypes, versions } from './registries.ts';

type Hash = 'sha256' | 'sha384';

interface SuiteParts {
  readonly hash: Hash;
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'aes-128-ccm';
  readonly keyBytes: number;
  readonly tagBytes: number;
}

/** Suites whose records can be opened here. */
const parts: ReadonlyMap<number, SuiteParts> = new Map([
  [0x1301, { hash: 'sha256', cipher: 'aes-128-gcm', keyBytes: 16, tagBytes: 16 }],
  [0x1302, { hash: 'sha384', cipher: 'aes-256-gcm', keyBytes: 32, tagBytes: 16 }],
  [0x1303, { hash: 'sha256', cipher: 'chacha20-poly1305', keyBytes: 32, tagBytes: 16 }],
  [0x1304, { hash: 'sha256', cipher: 'aes-128-ccm', keyBytes: 16, tagBytes: 16 }],
  [0x1305, { hash: 'sha256', cipher: 'aes-128-ccm', keyBytes: 16, tagBytes: 8 }],
]);

/** Secrets of the handshake: what opens the server's records, and what the client's Finished needs. */
export interface HandshakeKeys {
  readonly server: RecordProtection;
  readonly client: RecordProtection;
  /** The client's Finished over a transcript. */
  finished(transcript: Buffer): Buffer;
  /** Keys of the application data that follow a transcript up to the server's Finished. */
  application(transcript: Buffer): { readonly server: RecordProtection; readonly client: RecordProtection };
}

/**
 * Derives the keys after a ServerHello. `transcript`: all handshake messages up to and with it.
 * Throws RangeError for a suite that is not known here.
 */
export function handshakeKeys(suite: number, sharedSecret: Buffer, transcript: Buffer): HandshakeKeys {
  const known = parts.get(suite);
  if (known === undefined) throw new RangeError(`records of suite 0x${suite.toString(16)} cannot be opened here`);
  const { hash } = known;
  const digest = (data: Buffer): Buffer => createHash(hash).update(data).digest();
  const empty = digest(Buffer.alloc(0));
  const zeros = Buffer.alloc(empty.length);
  const derive = (secret: Buffer, label: string, context: Buffer): Buffer =>
    expandLabel(hash, secret, label, context, empty.length);
  const early = extract(hash, Buffer.alloc(0), zeros);
  const handshake = extract(hash, derive(early, 'derived', empty), sharedSecret);
  const client = derive(handshake, 'c hs traffic', digest(transcript));
  const server = derive(handshake, 's hs traffic', digest(transcript));
  const main = extract(hash, derive(handshake, 'derived', empty), zeros);
  return {
    server: new RecordProtection(known, server),
    client: new RecordProtection(known, client),
    finished: (all) =>
      createHmac(hash, derive(client, 'finished', Buffer.alloc(0)))
        .update(digest(all))
        .digest(),
    application: (all) => ({
      server: new RecordProtection(known, derive(main, 's ap traffic', digest(all))),
      client: new RecordProtection(known, derive(main, 'c ap traffic', digest(all))),
    }),
  };
}

/** RFC 5869 §2.2: HKDF-Extract is one HMAC. */
function extract(hash: Hash, salt: Buffer, key: Buffer): Buffer {
  return createHmac(hash, salt).update(key).digest();
}

/** RFC 8446 §7.1. */
function expandLabel(hash: Hash, secret: Buffer, label: string, context: Buffer, length: number): Buffer {
  const info = Buffer.concat([uint(length, 2), vector(1, Buffer.from(`tls13 ${label}`, 'latin1')), vector(1, context)]);
  return expand(hash, secret, info, length);
}

/** RFC 5869 §2.3; `hkdfSync` would extract first. */
function expand(hash: Hash, secret: Buffer, info: Buffer, length: number): Buffer {
  let block = Buffer.alloc(0);
  const blocks: Buffer[] = [];
  for (let n = 1; Buffer.concat(blocks).length < length; n++) {
    block = createHmac(hash, secret)
      .update(Buffer.concat([block, info, Buffer.from([n])]))
      .digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Opens and seals the records of one direction, in order. */
export class RecordProtection {
  readonly #parts: SuiteParts;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #sequence = 0n;

  constructor(known: SuiteParts, secret: Buffer) {
    this.#parts = known;
    this.#key = expandLabel(known.hash, secret, 'key', Buffer.alloc(0), known.keyBytes);
    this.#iv = expandLabel(known.hash, secret, 'iv', Buffer.alloc(0), 12);
  }

  /** Content and its real type. Throws RangeError where the tag does not fit. */
  open(header: Buffer, sealed: Buffer): { readonly type: number; readonly content: Buffer } {
    const { cipher, tagBytes } = this.#parts;
    const text = sealed.subarray(0, Math.max(0, sealed.length - tagBytes));
    const decipher = createDecipheriv(cipher as 'aes-128-gcm', this.#key, this.#nonce(), { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(text.length));
    decipher.setAAD(header, { plaintextLength: text.length });
    let inner: Buffer;
    try {
      inner = Buffer.concat([decipher.update(text), decipher.final()]);
    } catch (cause) {
      throw new RangeError('a record that does not open', { cause });
    }
    const end = inner.findLastIndex((octet) => octet !== 0);
    if (end < 0) throw new RangeError('a record without a type');
    return { type: inner[end] ?? 0, content: inner.subarray(0, end) };
  }

  /** One record, ready to send. */
  seal(type: number, content: Buffer): Buffer {
    const { cipher, tagBytes } = this.#parts;
    const inner = Buffer.concat([content, uint(type, 1)]);
    const header = Buffer.concat([
      uint(recordTypes.applicationData, 1),
      uint(versions.tls1_2, 2),
      uint(inner.length + tagBytes, 2),
    ]);
    const sealer = createCipheriv(cipher as 'aes-128-gcm', this.#key, this.#nonce(), { authTagLength: tagBytes });
    sealer.setAAD(header, { plaintextLength: inner.length });
    const text = Buffer.concat([sealer.update(inner), sealer.final()]);
    return Buffer.concat([header, text, sealer.getAuthTag()]);
  }

  /** RFC 8446 §5.3. */
  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence, 4);
    this.#sequence++;
    return nonce;
  }
}
