/** Distinguished names: text form of RFC 4514 (read as widely as RFC 2253 §4 asks for, written as RFC 4514 §2 says). */
import { LdapError } from './result-code.ts';

/** One attribute type with its value, part of an RDN. */
export interface Ava {
  /** Descriptor or numeric OID, as written. */
  readonly type: string;
  readonly value: Buffer;
}

/** A relative distinguished name: one or more pairs, in the order written. */
export type Rdn = readonly Ava[];

/** Pairs in all the RDNs of one name: more is refused, so that hostile names cost nothing. */
const maxRdns = 256;

const typePattern = /^(?:[A-Za-z][A-Za-z0-9-]*|(?:OID\.)?(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+)$/i;

const [space, quote, plus, comma, semicolon, less, greater, backslash] = [
  0x20, 0x22, 0x2b, 0x2c, 0x3b, 0x3c, 0x3e, 0x5c,
];

/** A parsed name, most specific RDN first. Holds the spelling it was given; comparing needs the schema (see `Schema.dnKey`). */
export class Dn {
  readonly rdns: readonly Rdn[];
  #text: string | undefined;
  #key: { readonly by: object; readonly octets: Buffer } | undefined;

  constructor(rdns: readonly Rdn[]) {
    this.rdns = rdns;
  }

  /** Reads the text form. Throws LdapError invalidDNSyntax. */
  static parse(text: string): Dn {
    return new Dn(new DnReader(text).read());
  }

  /** The name as RFC 4514 writes it. */
  toString(): string {
    this.#text ??= this.rdns.map(formatRdn).join(',');
    return this.#text;
  }

  /** Key of the name by a schema (see `Schema.keyOf`), computed once: one operation asks for it several times. */
  keyBy(schema: object, compute: () => Buffer): Buffer {
    if (this.#key?.by !== schema) this.#key = { by: schema, octets: compute() };
    return this.#key.octets;
  }

  get isRoot(): boolean {
    return this.rdns.length === 0;
  }

  /** The name without its first RDN; undefined for the empty name. */
  get parent(): Dn | undefined {
    return this.isRoot ? undefined : new Dn(this.rdns.slice(1));
  }

  /** First RDN. Throws LdapError for the empty name, which has none. */
  get rdn(): Rdn {
    const [first] = this.rdns;
    if (first === undefined) throw new LdapError('unwillingToPerform', 'the empty name has no RDN');
    return first;
  }

  child(rdn: Rdn): Dn {
    return new Dn([rdn, ...this.rdns]);
  }
}

/** Reads one RDN, as in the new name of a modify DN. Throws LdapError invalidDNSyntax. */
export function parseRdn(text: string): Rdn {
  const { rdns } = Dn.parse(text);
  const [rdn] = rdns;
  if (rdn === undefined || rdns.length !== 1) throw new LdapError('invalidDNSyntax', `'${text}' is not one RDN`);
  return rdn;
}

/** Writes one RDN. */
export function formatRdn(rdn: Rdn): string {
  return rdn.map(({ type, value }) => `${type}=${escapeDnValue(value)}`).join('+');
}

/** Escapes a value so that it can stand in a name (RFC 4514 §2.4). Octets that are no UTF-8 are written as `\xx`. */
export function escapeDnValue(value: string | Uint8Array): string {
  const bytes =
    typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes, text))
    return [...bytes].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : hexPair(byte))).join('');
  if (!/[\0-\x1f"+,;<>\\ #=\x7f]/.test(text)) return text;
  const last = text.length - 1;
  return text.replace(/[\0-\x1f"+,;<>\\ #=\x7f]/g, (character, at: number) => {
    if (character < ' ' || character === '\x7f') return hexPair(character.charCodeAt(0));
    if (character === ' ') return at === 0 || at === last ? '\\ ' : ' ';
    if (character === '#') return at === 0 ? '\\#' : '#';
    return character === '=' ? '=' : `\\${character}`;
  });
}

const isUtf8 = (bytes: Buffer, text: string): boolean => !text.includes('\ufffd') || Buffer.from(text).equals(bytes);
const isPlain = (byte: number): boolean => /[A-Za-z0-9.-]/.test(String.fromCharCode(byte));
const hexPair = (byte: number): string => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`;

/** Reads a name from left to right, each character once. */
class DnReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Rdn[] {
    const rdns: Rdn[] = [];
    this.#skipSpace();
    if (this.#at === this.#text.length) return rdns;
    for (;;) {
      rdns.push(this.#rdn());
      if (rdns.length > maxRdns) throw this.#fault(`has more than ${maxRdns} parts`);
      const separator = this.#text[this.#at];
      if (separator === undefined) return rdns;
      this.#at += 1;
    }
  }

  #rdn(): Rdn {
    const pairs = [this.#ava()];
    while (this.#text[this.#at] === '+') {
      this.#at += 1;
      pairs.push(this.#ava());
      if (pairs.length > maxRdns) throw this.#fault(`has more than ${maxRdns} parts`);
    }
    return pairs;
  }

  #ava(): Ava {
    const equals = this.#text.indexOf('=', this.#at);
    if (equals < 0) throw this.#fault(`has no '=' after position ${this.#at}`);
    const type = this.#text.slice(this.#at, equals).trim();
    if (type.length > 256 || !typePattern.test(type))
      throw this.#fault(`has '${type.slice(0, 40)}' where an attribute type belongs`);
    this.#at = equals + 1;
    this.#skipSpace();
    return { type: type.includes('.') ? type.replace(/^OID\./i, '') : type, value: this.#value() };
  }

  #value(): Buffer {
    const first = this.#text[this.#at];
    if (first === '#') return this.#hexString();
    return first === '"' ? this.#quoted() : this.#string();
  }

  /** `#` and the BER encoding in hexadecimal: the contents of a primitive string are the value (RFC 4514 §2.4). */
  #hexString(): Buffer {
    const [all = '', digits = ''] = /^#([0-9A-Fa-f]*) *(?=[,;+]|$)/.exec(this.#text.slice(this.#at)) ?? [];
    if (digits.length === 0 || digits.length % 2 === 1)
      throw this.#fault(`has a malformed '#' value at position ${this.#at}`);
    this.#at += all.length;
    return berContents(Buffer.from(digits, 'hex')) ?? this.#refuse("has a '#' value that is not one BER element");
  }

  /** RFC 2253 §4: a value in quotation marks, still sent by old clients. */
  #quoted(): Buffer {
    const parts: Buffer[] = [];
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#fault('ends inside quotation marks');
      if (character === '"') break;
      parts.push(character === '\\' ? this.#escape() : this.#plain(/["\\]/g));
    }
    this.#at += 1;
    this.#skipSpace();
    if (!/[,;+]/.test(this.#text[this.#at] ?? ',')) throw this.#fault('goes on after quotation marks');
    return Buffer.concat(parts);
  }

  #string(): Buffer {
    const end = this.#plainEnd();
    if (end !== undefined) {
      const value = Buffer.from(this.#text.slice(this.#at, end));
      this.#at = end;
      return value;
    }
    const parts: Buffer[] = [];
    let trailing = 0;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === ',' || character === ';' || character === '+') break;
      if (character === '"' || character === '<' || character === '>' || character === '\0') {
        throw this.#fault(`has an unescaped '${character}' at position ${this.#at}`);
      }
      const part = character === '\\' ? this.#escape() : this.#plain(/[\\,;+"<>\0]/g);
      trailing =
        character === '\\' ? 0 : trailingSpaces(part) === part.length ? trailing + part.length : trailingSpaces(part);
      parts.push(part);
    }
    const value = Buffer.concat(parts);
    return value.subarray(0, value.length - trailing);
  }

  /** Where a value of printable ASCII ends that needs no second look, as most do; undefined for any other. */
  #plainEnd(): number | undefined {
    const text = this.#text;
    let last = 0;
    for (let at = this.#at; ; at += 1) {
      const code = at < text.length ? text.charCodeAt(at) : comma;
      if (code === comma || code === semicolon || code === plus) return last === space ? undefined : at;
      if (code < space || code > 0x7e || code === backslash || code === quote || code === less || code === greater)
        return undefined;
      last = code;
    }
  }

  #plain(stop: RegExp): Buffer {
    stop.lastIndex = this.#at;
    const end = stop.exec(this.#text)?.index ?? this.#text.length;
    const part = this.#text.slice(this.#at, end);
    this.#at = end;
    return Buffer.from(part);
  }

  #escape(): Buffer {
    const pair = this.#text.slice(this.#at + 1, this.#at + 3);
    if (/^[0-9A-Fa-f]{2}$/.test(pair)) {
      this.#at += 3;
      return Buffer.from(pair, 'hex');
    }
    const character = pair[0];
    if (character === undefined || !/[ "#+,;<=>\\]/.test(character))
      throw this.#fault(`has a malformed escape at position ${this.#at}`);
    this.#at += 2;
    return Buffer.from(character);
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\n' || this.#text[this.#at] === '\r')
      this.#at += 1;
  }

  #refuse(what: string): never {
    throw this.#fault(what);
  }

  #fault(what: string): LdapError {
    return new LdapError('invalidDNSyntax', `the name '${this.#text.slice(0, 200)}' ${what}`);
  }
}

function trailingSpaces(part: Buffer): number {
  let count = 0;
  while (count < part.length && part[part.length - 1 - count] === 0x20) count += 1;
  return count;
}

/** Contents of one definite-length BER element; undefined when the octets are anything else. */
function berContents(ber: Buffer): Buffer | undefined {
  const [, first] = ber;
  if (first === undefined) return undefined;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthOctets > 4 || ber.length < 2 + lengthOctets) return undefined;
  const length = lengthOctets === 0 ? first : ber.readUIntBE(2, lengthOctets);
  return ber.length === 2 + lengthOctets + length ? ber.subarray(2 + lengthOctets) : undefined;
}
