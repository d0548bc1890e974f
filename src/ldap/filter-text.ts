/** Filters as text, RFC 4515. Values are octets: what is escaped as `\xx` need not be UTF-8. */
import { parseAttributeDescription } from './attribute-description.ts';
import { type ExtensibleFilter, type Filter, maxFilterDepth } from './filter.ts';
import { LdapError } from './result-code.ts';

/** Reads a filter; outer parentheses may be missing, as command lines have it. Throws LdapError protocolError. */
export function parseFilter(text: string): Filter {
  const trimmed = text.trim();
  return new FilterReader(trimmed.startsWith('(') ? trimmed : `(${trimmed})`).read();
}

/** Writes a filter so that reading it gives the same octets. */
export function formatFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
      return `(&${filter.filters.map(formatFilter).join('')})`;
    case 'or':
      return `(|${filter.filters.map(formatFilter).join('')})`;
    case 'not':
      return `(!${formatFilter(filter.filter)})`;
    case 'present':
      return `(${filter.attribute}=*)`;
    case 'substrings': {
      const pieces = [filter.initial ?? Buffer.alloc(0), ...filter.any, filter.final ?? Buffer.alloc(0)];
      return `(${filter.attribute}=${pieces.map(escapeFilterValue).join('*')})`;
    }
    case 'extensible':
      return `(${filter.attribute ?? ''}${filter.dnAttributes ? ':dn' : ''}${filter.rule === undefined ? '' : `:${filter.rule}`}:=${escapeFilterValue(filter.value)})`;
    default:
      return `(${filter.attribute}${signs[filter.kind]}${escapeFilterValue(filter.value)})`;
  }
}

const signs = { equality: '=', greaterOrEqual: '>=', lessOrEqual: '<=', approximate: '~=' } as const;

/** Escapes a value so that it can stand in a filter (RFC 4515 §3). */
export function escapeFilterValue(value: string | Uint8Array): string {
  const bytes =
    typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text.replace(/[\0()*\\]/g, (character) => hexEscape(character.charCodeAt(0)));
  return [...bytes]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || '()*\\'.includes(String.fromCharCode(byte))
        ? hexEscape(byte)
        : String.fromCharCode(byte),
    )
    .join('');
}

const hexEscape = (byte: number): string => `\\${byte.toString(16).padStart(2, '0')}`;

class FilterReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Filter {
    const filter = this.#filter(0);
    if (this.#at !== this.#text.length) throw this.#fault('goes on after its end');
    return filter;
  }

  #filter(depth: number): Filter {
    if (depth > maxFilterDepth) throw this.#fault(`is nested deeper than ${maxFilterDepth}`);
    this.#expect('(');
    const mark = this.#text[this.#at];
    if (mark === '&' || mark === '|') {
      this.#at += 1;
      const filters: Filter[] = [];
      for (this.#space(); this.#text[this.#at] === '('; this.#space()) filters.push(this.#filter(depth + 1));
      this.#expect(')');
      return { kind: mark === '&' ? 'and' : 'or', filters };
    }
    if (mark === '!') {
      this.#at += 1;
      this.#space();
      const filter = this.#filter(depth + 1);
      this.#space();
      this.#expect(')');
      return { kind: 'not', filter };
    }
    return this.#item();
  }

  #item(): Filter {
    const close = this.#text.indexOf(')', this.#at);
    const item = this.#text.slice(this.#at, close < 0 ? undefined : close);
    const equals = item.indexOf('=');
    if (close < 0 || equals < 1 || item.includes('(')) throw this.#fault(`cannot be read at '${item.slice(0, 40)}'`);
    this.#at = close + 1;
    const sign = item[equals - 1];
    const value = item.slice(equals + 1);
    if (sign === ':') return this.#extensible(item.slice(0, equals - 1), value);
    const signed = sign === '>' || sign === '<' || sign === '~';
    const attribute = this.#attribute(item.slice(0, signed ? equals - 1 : equals));
    if (sign === '>') return { kind: 'greaterOrEqual', attribute, value: this.#unescape(value) };
    if (sign === '<') return { kind: 'lessOrEqual', attribute, value: this.#unescape(value) };
    if (sign === '~') return { kind: 'approximate', attribute, value: this.#unescape(value) };
    if (value === '*') return { kind: 'present', attribute };
    return value.includes('*')
      ? this.#substrings(attribute, value)
      : { kind: 'equality', attribute, value: this.#unescape(value) };
  }

  #substrings(attribute: string, value: string): Filter {
    const pieces = value.split('*').map((piece) => this.#unescape(piece));
    const initial = pieces[0];
    const final = pieces.at(-1);
    const any = pieces.slice(1, -1).filter((piece) => piece.length > 0);
    if (any.length === 0 && initial?.length === 0 && final?.length === 0)
      throw this.#fault(`has no text between the stars of '${value}'`);
    return {
      kind: 'substrings',
      attribute,
      any,
      ...(initial !== undefined && initial.length > 0 ? { initial } : {}),
      ...(final !== undefined && final.length > 0 ? { final } : {}),
    };
  }

  /** `attr[:dn][:rule]` or `[:dn]:rule`, before `:=`. */
  #extensible(left: string, value: string): ExtensibleFilter {
    const [first = '', ...parts] = left.split(':');
    const dnAttributes = parts[0]?.toLowerCase() === 'dn';
    const [rule, ...more] = dnAttributes ? parts.slice(1) : parts;
    if (more.length > 0 || (first === '' && rule === undefined) || rule === '')
      throw this.#fault(`cannot be read at '${left.slice(0, 40)}'`);
    return {
      kind: 'extensible',
      value: this.#unescape(value),
      dnAttributes,
      ...(first === '' ? {} : { attribute: this.#attribute(first) }),
      ...(rule === undefined ? {} : { rule: this.#attribute(rule) }),
    };
  }

  #attribute(text: string): string {
    const attribute = text.trim();
    if (parseAttributeDescription(attribute) === undefined)
      throw this.#fault(`has '${attribute.slice(0, 40)}' where an attribute belongs`);
    return attribute;
  }

  #unescape(text: string): Buffer {
    if (!text.includes('\\')) return Buffer.from(text);
    const parts: Buffer[] = [];
    for (const part of text.split(/(\\[0-9A-Fa-f]{2})/)) {
      if (/^\\[0-9A-Fa-f]{2}$/.test(part)) parts.push(Buffer.from(part.slice(1), 'hex'));
      else if (part.includes('\\')) throw this.#fault("has a '\\' without two hexadecimal digits");
      else parts.push(Buffer.from(part));
    }
    return Buffer.concat(parts);
  }

  #space(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\n' || this.#text[this.#at] === '\r')
      this.#at += 1;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw this.#fault(`has no '${character}' at position ${this.#at}`);
    this.#at += 1;
  }

  #fault(what: string): LdapError {
    return new LdapError('protocolError', `the filter '${this.#text.slice(0, 200)}' ${what}`);
  }
}
