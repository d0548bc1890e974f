/** Taking records and handshake messages apart as octets come: RFC 8446 §5.1 and §4, bounded. */
import { recordTypes } from './registries.ts';

export interface TlsRecord {
  readonly type: number;
  readonly version: number;
  readonly content: Buffer;
  /** The five octets before it: additional data of encryption (RFC 8446 §5.2). */
  readonly header: Buffer;
}

/** RFC 8446 §5.2 and RFC 5246 §6.2.3: protected records may be this much longer. */
const maxRecordBytes = 16_384 + 2048;
const known: ReadonlySet<number> = new Set(Object.values(recordTypes));

/** Cuts a stream into records. */
export class RecordReader {
  #held: Buffer = Buffer.alloc(0);

  /** Octets that belong to no whole record yet. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes octets; gives the records that are complete. Throws RangeError for what is no TLS. */
  push(octets: Buffer): TlsRecord[] {
    this.#held = this.#held.length === 0 ? octets : Buffer.concat([this.#held, octets]);
    const records: TlsRecord[] = [];
    for (let record = this.#next(); record !== undefined; record = this.#next()) records.push(record);
    return records;
  }

  #next(): TlsRecord | undefined {
    const header = this.#held.subarray(0, 5);
    const type = header[0];
    if (type === undefined) return undefined;
    if (!known.has(type) || (header[1] ?? 3) !== 3) throw new RangeError(`this is no TLS record: ${spacedHex(header)}`);
    if (header.length < 5) return undefined;
    const length = header.readUInt16BE(3);
    if (length > maxRecordBytes) throw new RangeError(`a record of ${length} octets, ${maxRecordBytes} is the most`);
    if (this.#held.length < 5 + length) return undefined;
    const content = this.#held.subarray(5, 5 + length);
    this.#held = this.#held.subarray(5 + length);
    return { type, version: header.readUInt16BE(1), content, header };
  }
}

function spacedHex(octets: Buffer): string {
  return octets.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ');
}

export interface HandshakeMessage {
  readonly type: number;
  readonly body: Buffer;
  /** With its header, as the transcript hash takes it. */
  readonly raw: Buffer;
}

/** The largest handshake message that is read: a chain of 100 large certificates. */
const maxMessageBytes = 262_144;

/** Joins the content of handshake records into messages. */
export class HandshakeReader {
  #held: Buffer = Buffer.alloc(0);

  /** Throws RangeError for a message that is too long. */
  push(content: Buffer): HandshakeMessage[] {
    this.#held = Buffer.concat([this.#held, content]);
    const messages: HandshakeMessage[] = [];
    for (;;) {
      const type = this.#held[0];
      if (type === undefined || this.#held.length < 4) return messages;
      const length = this.#held.readUIntBE(1, 3);
      if (length > maxMessageBytes)
        throw new RangeError(`a handshake message of ${length} octets, ${maxMessageBytes} is the most`);
      if (this.#held.length < 4 + length) return messages;
      const raw = this.#held.subarray(0, 4 + length);
      this.#held = this.#held.subarray(4 + length);
      messages.push({ type, body: raw.subarray(4), raw });
    }
  }
}
