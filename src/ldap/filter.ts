/** Search filters as values: RFC 4511 §4.5.1.7. */

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | AssertionFilter
  | { readonly kind: 'present'; readonly attribute: string }
  | SubstringsFilter
  | ExtensibleFilter;

/** A filter that compares one attribute with one value. */
export interface AssertionFilter {
  readonly kind: 'equality' | 'greaterOrEqual' | 'lessOrEqual' | 'approximate';
  /** Attribute description: type and options. */
  readonly attribute: string;
  readonly value: Buffer;
}

export interface SubstringsFilter {
  readonly kind: 'substrings';
  readonly attribute: string;
  readonly initial?: Buffer;
  readonly any: readonly Buffer[];
  readonly final?: Buffer;
}

/** At least one of rule and attribute is there (RFC 4511 §4.5.1.7.7). */
export interface ExtensibleFilter {
  readonly kind: 'extensible';
  readonly rule?: string;
  readonly attribute?: string;
  readonly value: Buffer;
  readonly dnAttributes: boolean;
}

/** Deepest nesting of a filter read from text or from the wire: deeper is refused. */
export const maxFilterDepth = 100;

/** Matches every entry that exists. */
export const everyEntry: Filter = { kind: 'present', attribute: 'objectClass' };

/** Filter `(attribute=value)`. */
export function equals(attribute: string, value: string | Buffer): Filter {
  return { kind: 'equality', attribute, value: typeof value === 'string' ? Buffer.from(value) : value };
}
