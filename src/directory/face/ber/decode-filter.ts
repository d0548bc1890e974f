/** Filters from the wire: RFC 4511 §4.5.1.7, with the absolute true and false of RFC 4526. */
import { type Filter, LdapError } from '../../../ldap/index.ts';
import type { BerReader } from './ber-reader.ts';

/** How much a filter may ask for; beyond, adminLimitExceeded. */
export interface FilterLimits {
  /** Nesting. */
  readonly maxDepth: number;
  /** Nodes in all, and substrings count as nodes. */
  readonly maxNodes: number;
}

const choice = {
  and: 0xa0,
  or: 0xa1,
  not: 0xa2,
  equality: 0xa3,
  substrings: 0xa4,
  greaterOrEqual: 0xa5,
  lessOrEqual: 0xa6,
  present: 0x87,
  approximate: 0xa8,
  extensible: 0xa9,
} as const;

/** Decodes one filter. Throws BerFault for broken BER, LdapError for what cannot be served. */
export function decodeFilter(reader: BerReader, limits: FilterLimits): Filter {
  return new FilterDecoder(limits).decode(reader, 1);
}

class FilterDecoder {
  readonly #limits: FilterLimits;
  #nodes = 0;

  constructor(limits: FilterLimits) {
    this.#limits = limits;
  }

  decode(reader: BerReader, depth: number): Filter {
    if (depth > this.#limits.maxDepth)
      throw new LdapError('adminLimitExceeded', `filter nested deeper than ${this.#limits.maxDepth}`);
    this.#count();
    const tag = reader.nextTag;
    switch (tag) {
      case choice.and:
        return { kind: 'and', filters: this.#set(reader.enter(tag), depth) };
      case choice.or:
        return { kind: 'or', filters: this.#set(reader.enter(tag), depth) };
      case choice.not:
        return { kind: 'not', filter: this.#only(reader.enter(tag), depth) };
      case choice.equality:
        return { kind: 'equality', ...assertion(reader.enter(tag)) };
      case choice.greaterOrEqual:
        return { kind: 'greaterOrEqual', ...assertion(reader.enter(tag)) };
      case choice.lessOrEqual:
        return { kind: 'lessOrEqual', ...assertion(reader.enter(tag)) };
      case choice.approximate:
        return { kind: 'approximate', ...assertion(reader.enter(tag)) };
      case choice.present:
        return { kind: 'present', attribute: description(reader.text(tag)) };
      case choice.substrings:
        return this.#substrings(reader.enter(tag));
      case choice.extensible:
        return extensible(reader.enter(tag));
      default:
        reader.skip();
        throw new LdapError('protocolError', 'filter of an unknown kind');
    }
  }

  #set(reader: BerReader, depth: number): Filter[] {
    const filters: Filter[] = [];
    while (!reader.done) filters.push(this.decode(reader, depth + 1));
    return filters;
  }

  #only(reader: BerReader, depth: number): Filter {
    const filter = this.decode(reader, depth + 1);
    reader.finish();
    return filter;
  }

  #substrings(reader: BerReader): Filter {
    const attribute = description(reader.text());
    const parts = reader.enter(0x30);
    const any: Buffer[] = [];
    let initial: Buffer | undefined;
    let final: Buffer | undefined;
    if (parts.done) throw new LdapError('protocolError', 'substrings filter without a substring');
    while (!parts.done) {
      this.#count();
      const tag = parts.nextTag;
      const value = parts.octets(tag);
      if (final !== undefined || (tag === 0x80 && (initial !== undefined || any.length > 0))) {
        throw new LdapError('protocolError', 'substrings out of order');
      }
      if (tag === 0x80) initial = value;
      else if (tag === 0x81) any.push(value);
      else if (tag === 0x82) final = value;
      else throw new LdapError('protocolError', 'substring of an unknown kind');
    }
    return { kind: 'substrings', attribute, any, ...(initial && { initial }), ...(final && { final }) };
  }

  #count(): void {
    this.#nodes += 1;
    if (this.#nodes > this.#limits.maxNodes)
      throw new LdapError('adminLimitExceeded', `filter of more than ${this.#limits.maxNodes} parts`);
  }
}

function assertion(reader: BerReader): { attribute: string; value: Buffer } {
  const attribute = description(reader.text());
  const value = reader.octets();
  reader.finish();
  return { attribute, value };
}

function extensible(reader: BerReader): Filter {
  const rule = reader.nextTag === 0x81 ? description(reader.text(0x81)) : undefined;
  const attribute = reader.nextTag === 0x82 ? description(reader.text(0x82)) : undefined;
  const value = reader.octets(0x83);
  const dnAttributes = reader.nextTag === 0x84 ? reader.boolean(0x84) : false;
  reader.finish();
  if (rule === undefined && attribute === undefined) {
    throw new LdapError('protocolError', 'extensible match with neither rule nor attribute');
  }
  return {
    kind: 'extensible',
    value,
    dnAttributes,
    ...(rule !== undefined && { rule }),
    ...(attribute !== undefined && { attribute }),
  };
}

/** Attribute description as sent. Whether it is one is for the schema to say: an unknown one makes the filter undefined, not wrong. */
function description(text: string | undefined): string {
  if (text === undefined) throw new LdapError('protocolError', 'attribute description is no UTF-8');
  return text;
}
