/**
 * Entries as octets. A header of fixed size (GUID, sequence numbers, times), then key, name and attributes, each led by its
 * length; an attribute is its name and the block of its values. Values are kept as given; nothing is parsed before it is asked for.
 * Names that most entries have are kept as a length of 0 and their number (see `shortNames`).
 */
import type { AttributeValues } from '../../../ldap/index.ts';
import { numberOfName, shortNames } from './short-names.ts';

/** An entry as the store keeps it. */
export interface EntryData {
  readonly guid: Buffer;
  readonly usnCreated: number;
  readonly usnChanged: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly changed: number;
  /** Key of the name, see `Schema.keyOf`. */
  readonly key: Buffer;
  readonly dn: string;
  readonly attributes: readonly AttributeValues[];
}

const format = 1;
const headerLength = 1 + 16 + 8 + 8 + 8 + 8;
const semicolon = 0x3b;

export function encodeEntry(data: EntryData): Buffer {
  const dn = Buffer.from(data.dn);
  const blocks = data.attributes.map(({ values }) => values.reduce((size, value) => size + chunkSize(value.length), 0));
  let size = headerLength + chunkSize(data.key.length) + chunkSize(dn.length);
  for (const [i, { attribute }] of data.attributes.entries())
    size += (numberOfName.has(attribute) ? 2 : chunkSize(attribute.length)) + chunkSize(blocks[i] ?? 0);
  const writer = new Writer(Buffer.allocUnsafe(size));
  writer.header(data);
  writer.chunk(data.key);
  writer.chunk(dn);
  for (const [i, { attribute, values }] of data.attributes.entries()) {
    writer.name(attribute);
    writer.varint(blocks[i] ?? 0);
    for (const value of values) writer.chunk(value);
  }
  return writer.octets;
}

/** What of an encoded entry is not its numbers and times: name and attributes. */
export const entryBody = (octets: Buffer): Buffer => octets.subarray(headerLength);

class Writer {
  readonly octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.octets = octets;
  }

  header({ guid, usnCreated, usnChanged, created, changed }: EntryData): void {
    this.octets[0] = format;
    guid.copy(this.octets, 1, 0, 16);
    this.octets.writeDoubleBE(usnCreated, 17);
    this.octets.writeDoubleBE(usnChanged, 25);
    this.octets.writeDoubleBE(created, 33);
    this.octets.writeDoubleBE(changed, 41);
    this.#at = headerLength;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.octets[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.octets[this.#at++] = rest;
  }

  name(name: string): void {
    const number = numberOfName.get(name);
    if (number === undefined) {
      this.varint(name.length);
      this.#at += this.octets.write(name, this.#at, 'latin1');
    } else {
      this.octets[this.#at++] = 0;
      this.octets[this.#at++] = number;
    }
  }

  chunk(octets: Buffer): void {
    this.varint(octets.length);
    this.#at += octets.copy(this.octets, this.#at);
  }
}

const varintSize = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
const chunkSize = (length: number): number => varintSize(length) + length;

/** Reads fields of an encoded entry on demand. Throws RangeError for octets that are no entry. */
export class EncodedEntry {
  readonly octets: Buffer;
  #at = headerLength;
  #key: Buffer | undefined;
  #dn: string | undefined;
  #start = 0;

  constructor(octets: Buffer) {
    if (octets[0] !== format || octets.length < headerLength) throw new RangeError('not an entry of this format');
    this.octets = octets;
  }

  get guid(): Buffer {
    return this.octets.subarray(1, 17);
  }

  get usnCreated(): number {
    return this.octets.readDoubleBE(17);
  }

  get usnChanged(): number {
    return this.octets.readDoubleBE(25);
  }

  get created(): number {
    return this.octets.readDoubleBE(33);
  }

  get changed(): number {
    return this.octets.readDoubleBE(41);
  }

  get key(): Buffer {
    if (this.#key === undefined) {
      this.#at = headerLength;
      this.#key = this.#chunk();
    }
    return this.#key;
  }

  get dn(): string {
    if (this.#dn === undefined) {
      this.#at = headerLength;
      this.#skip();
      this.#dn = this.#text('utf8');
    }
    return this.#dn;
  }

  /** Names as kept. */
  get names(): string[] {
    const names: string[] = [];
    this.#toAttributes();
    while (this.#at < this.octets.length) {
      names.push(this.#name());
      this.#skip();
    }
    return names;
  }

  /** Values of the attribute kept under this name, given in lower case; undefined when there are none. */
  values(name: string): Buffer[] | undefined {
    this.#toAttributes();
    const number = numberOfName.get(name);
    while (this.#at < this.octets.length) {
      if (this.#passName(name, number, false)) return this.#block();
      this.#skip();
    }
    return undefined;
  }

  /** Values of an attribute type, given by its key, under all its options. */
  valuesOfType(key: string): Buffer[] {
    let values: Buffer[] | undefined;
    this.#toAttributes();
    const number = numberOfName.get(key);
    while (this.#at < this.octets.length) {
      if (!this.#passName(key, number, true)) this.#skip();
      else if (values === undefined) values = this.#block();
      else values.push(...this.#block());
    }
    return values ?? [];
  }

  toData(): EntryData {
    const { guid, usnCreated, usnChanged, created, changed, key, dn } = this;
    return { guid, usnCreated, usnChanged, created, changed, key, dn, attributes: this.attributes };
  }

  /** All of them, by their names as kept. */
  get attributes(): AttributeValues[] {
    const attributes: AttributeValues[] = [];
    this.#toAttributes();
    while (this.#at < this.octets.length) attributes.push({ attribute: this.#name(), values: this.#block() });
    return attributes;
  }

  #toAttributes(): void {
    if (this.#start === 0) {
      this.#at = headerLength;
      this.#skip();
      this.#skip();
      this.#start = this.#at;
    }
    this.#at = this.#start;
  }

  #name(): string {
    const length = this.#varint();
    if (length > 0) {
      this.#at += length;
      return this.octets.toString('latin1', this.#at - length, this.#at);
    }
    const name = shortNames[this.octets[this.#at++] ?? shortNames.length];
    if (name === undefined) throw new RangeError('an attribute of a number that is not known');
    return name;
  }

  /** Steps over a name; true when it is this one (with `options`: under any options). */
  #passName(name: string, number: number | undefined, options: boolean): boolean {
    const length = this.#varint();
    if (length === 0) return this.octets[this.#at++] === number;
    const fits = length === name.length || (options && this.octets[this.#at + name.length] === semicolon);
    const found = fits && length >= name.length && this.#hasName(name);
    this.#at += length;
    return found;
  }

  /** Letters differ from their lower case in one bit, which all else that stands in names has set. */
  #hasName(name: string): boolean {
    for (let i = 0; i < name.length; i += 1) {
      if (((this.octets[this.#at + i] ?? 0) | 0x20) !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  #block(): Buffer[] {
    const end = this.#varint() + this.#at;
    const values: Buffer[] = [];
    while (this.#at < end) values.push(this.#chunk());
    if (this.#at !== end) throw new RangeError('an entry of another length than it says');
    return values;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.octets[this.#at++];
      if (byte === undefined || factor > 2 ** 28) throw new RangeError('an entry that ends too early');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  #chunk(): Buffer {
    const length = this.#varint();
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.octets.length) throw new RangeError('an entry that ends too early');
    return this.octets.subarray(start, this.#at);
  }

  #skip(): void {
    const length = this.#varint();
    this.#at += length;
    if (this.#at > this.octets.length) throw new RangeError('an entry that ends too early');
  }

  #text(encoding: 'utf8' | 'latin1'): string {
    const length = this.#varint();
    const start = this.#at;
    this.#at += length;
    return this.octets.toString(encoding, start, this.#at);
  }
}
