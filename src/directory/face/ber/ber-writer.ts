/** Writes BER with definite lengths in their shortest form: RFC 4511 §5.1. */
import { tags } from './ber-reader.ts';

/** One element around contents that are already encoded. */
export function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of contents) length += part.length;
  const bytes = Buffer.allocUnsafe(headerSize(length) + length);
  let at = writeHeader(bytes, 0, tag, length);
  for (const part of contents) at += part.copy(bytes, at);
  return bytes;
}

export function sequence(...contents: readonly Buffer[]): Buffer {
  return element(tags.sequence, ...contents);
}

/** Octet string; text is written as UTF-8. */
export function octets(value: string | Buffer, tag: number = tags.octetString): Buffer {
  return element(tag, typeof value === 'string' ? Buffer.from(value) : value);
}

/** Integer of at most 32 bits, signed. Throws RangeError for more. */
export function integer(value: number, tag: number = tags.integer): Buffer {
  const length =
    value >= -0x80 && value < 0x80
      ? 1
      : value >= -0x8000 && value < 0x8000
        ? 2
        : value >= -0x800000 && value < 0x800000
          ? 3
          : 4;
  const bytes = Buffer.allocUnsafe(2 + length);
  bytes[0] = tag;
  bytes[1] = length;
  bytes.writeIntBE(value, 2, length);
  return bytes;
}

export function enumerated(value: number): Buffer {
  return integer(value, tags.enumerated);
}

export function boolean(value: boolean, tag: number = tags.boolean): Buffer {
  return Buffer.from([tag, 1, value ? 0xff : 0]);
}

/** Octets that tag and length take. */
export function headerSize(length: number): number {
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6;
}

/** Writes tag and length at a position and returns the position behind. */
export function writeHeader(bytes: Buffer, position: number, tag: number, length: number): number {
  let at = position;
  bytes[at++] = tag;
  if (length < 0x80) {
    bytes[at++] = length;
    return at;
  }
  const count = headerSize(length) - 2;
  bytes[at++] = 0x80 | count;
  bytes.writeUIntBE(length, at, count);
  return at + count;
}
