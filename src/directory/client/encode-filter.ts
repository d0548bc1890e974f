/** Filters to the wire: RFC 4511 §4.5.1.7. ldapts keeps values as text and would lose octets. */
import type { Filter } from '../../ldap/index.ts';
import { boolean, element, octets } from '../face/ber/ber-writer.ts';

/** Tag and contents of the filter's element. */
export interface EncodedFilter {
  readonly tag: number;
  readonly contents: Buffer;
}

const assertionTags = { equality: 0xa3, greaterOrEqual: 0xa5, lessOrEqual: 0xa6, approximate: 0xa8 } as const;

export function encodeFilter(filter: Filter): EncodedFilter {
  switch (filter.kind) {
    case 'and':
      return { tag: 0xa0, contents: Buffer.concat(filter.filters.map(whole)) };
    case 'or':
      return { tag: 0xa1, contents: Buffer.concat(filter.filters.map(whole)) };
    case 'not':
      return { tag: 0xa2, contents: whole(filter.filter) };
    case 'present':
      return { tag: 0x87, contents: Buffer.from(filter.attribute) };
    case 'substrings':
      return { tag: 0xa4, contents: Buffer.concat([octets(filter.attribute), element(0x30, ...pieces(filter))]) };
    case 'extensible':
      return { tag: 0xa9, contents: Buffer.concat(extensible(filter)) };
    default:
      return {
        tag: assertionTags[filter.kind],
        contents: Buffer.concat([octets(filter.attribute), octets(filter.value)]),
      };
  }
}

function whole(filter: Filter): Buffer {
  const { tag, contents } = encodeFilter(filter);
  return element(tag, contents);
}

function pieces({ initial, any, final }: Extract<Filter, { kind: 'substrings' }>): Buffer[] {
  return [
    ...(initial === undefined ? [] : [octets(initial, 0x80)]),
    ...any.map((piece) => octets(piece, 0x81)),
    ...(final === undefined ? [] : [octets(final, 0x82)]),
  ];
}

function extensible({ rule, attribute, value, dnAttributes }: Extract<Filter, { kind: 'extensible' }>): Buffer[] {
  return [
    ...(rule === undefined ? [] : [octets(rule, 0x81)]),
    ...(attribute === undefined ? [] : [octets(attribute, 0x82)]),
    octets(value, 0x83),
    ...(dnAttributes ? [boolean(true, 0x84)] : []),
  ];
}
