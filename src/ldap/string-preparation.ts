/**
 * Preparation of strings for comparing, RFC 4518, in the simplified form that yields the same answers for equality, ordering
 * and substrings: map, NFKC, case fold, prohibit, fold spaces. Normal forms are octets, so that an index and a filter compare
 * the very same thing; their octet order is code point order.
 */

/** How much a rule ignores. */
export interface Folding {
  readonly ignoreCase: boolean;
  /** `fold`: leading, trailing and repeated spaces do not count. `remove`: no space counts. `remove-hyphen`: nor does a hyphen. */
  readonly spaces: 'fold' | 'remove' | 'remove-hyphen';
}

const space = 0x20;
const hyphen = 0x2d;

/** Normal form of a value; undefined when it is not UTF-8 or holds what RFC 4518 §2.4 prohibits. */
export function prepare(value: Buffer, folding: Folding): Buffer | undefined {
  if (folding.spaces === 'fold' && isPrepared(value, folding.ignoreCase)) return value;
  const ascii = prepareAscii(value, folding, true, true);
  return ascii ?? prepareUnicode(value, folding, true, true);
}

/** Where a piece of a substring assertion stands; spaces at an end that touches other text are kept (RFC 4518 §2.6.1). */
export type PiecePosition = 'initial' | 'any' | 'final';

/** Normal form of a piece of a substring assertion, to be looked for in `substringForm` of a value's normal form. */
export function preparePiece(piece: Buffer, folding: Folding, position: PiecePosition): Buffer | undefined {
  const [start, end] = [position === 'initial', position === 'final'];
  const prepared = prepareAscii(piece, folding, start, end) ?? prepareUnicode(piece, folding, start, end);
  if (prepared === undefined || folding.spaces !== 'fold') return prepared;
  const text = prepared.toString('latin1');
  const inner = text.replace(/(?<=[^ ]) (?=[^ ])/g, '  ');
  return Buffer.from(`${start ? ' ' : ''}${inner}${end ? ' ' : ''}`, 'latin1');
}

/** The text that pieces are looked for in: one space before and behind, two between words (RFC 4518 §2.6.1). */
export function substringForm(prepared: Buffer, folding: Folding): Buffer {
  if (folding.spaces !== 'fold') return prepared;
  return Buffer.from(` ${prepared.toString('latin1').replaceAll(' ', '  ')} `, 'latin1');
}

/** True for printable ASCII that preparing would leave as it is: the common case, decided without a copy. */
function isPrepared(value: Buffer, ignoreCase: boolean): boolean {
  for (const byte of value) {
    if (byte <= space || byte >= 0x7f || (ignoreCase && byte >= 0x41 && byte <= 0x5a)) return false;
  }
  return true;
}

/** Printable ASCII in one pass; undefined when there is anything else. */
function prepareAscii(value: Buffer, folding: Folding, trimStart: boolean, trimEnd: boolean): Buffer | undefined {
  const output = Buffer.allocUnsafe(value.length);
  const removesHyphen = folding.spaces === 'remove-hyphen';
  let length = 0;
  for (const byte of value) {
    if (byte < space || byte >= 0x7f) return undefined;
    if (byte === space) {
      const counts = folding.spaces === 'fold' && (length > 0 ? output[length - 1] !== space : !trimStart);
      if (counts) output[length++] = space;
    } else if (byte !== hyphen || !removesHyphen) {
      output[length++] = folding.ignoreCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    }
  }
  if (trimEnd && length > 0 && output[length - 1] === space) length -= 1;
  return output.subarray(0, length);
}

// RFC 4518 §2.2: these are mapped to nothing ...
const mappedToNothing = new RegExp(
  [
    '[\\0-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\\u00ad\\u06dd\\u070f\\u1806\\u180e\\u200b-\\u200f]',
    '[\\u202a-\\u202e\\u2060-\\u2063\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc]',
    '\\u034f',
    '[\\u180b-\\u180d\\ufe00-\\ufe0f]',
    '[\\u{1d173}-\\u{1d17a}\\u{e0001}\\u{e0020}-\\u{e007f}]',
  ].join('|'),
  'gu',
);
// ... and these to a space.
const mappedToSpace = /[\t\n\v\f\r\x85\p{Zs}\p{Zl}\p{Zp}]+/gu;
// RFC 4518 §2.4, without unassigned code points: that table would tie us to one version of Unicode.
const prohibited = /[\p{Co}\p{Cs}\u0340\u0341\ufffd]|\p{Noncharacter_Code_Point}/u;

function prepareUnicode(value: Buffer, folding: Folding, trimStart: boolean, trimEnd: boolean): Buffer | undefined {
  const text = value.toString('utf8').replace(mappedToNothing, '').replace(mappedToSpace, ' ');
  if (prohibited.test(text)) return undefined;
  let folded = text.normalize('NFKC');
  if (folding.ignoreCase) folded = foldCase(folded);
  // NFKC may bring up spaces anew, from U+00A8 and its like.
  folded = folded.replace(mappedToNothing, '').replace(mappedToSpace, ' ').replace(/ {2,}/g, ' ');
  if (folding.spaces !== 'fold') folded = folded.replaceAll(' ', '');
  if (folding.spaces === 'remove-hyphen') folded = folded.replace(/[-\u058a\u2010\u2011\u2212\ufe63\uff0d]/g, '');
  if (trimStart && folded.startsWith(' ')) folded = folded.slice(1);
  if (trimEnd && folded.endsWith(' ')) folded = folded.slice(0, -1);
  return Buffer.from(folded);
}

/** Case folding by way of upper case, so that `ß` meets `SS`; the final sigma folds like any other. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('\u03c2', '\u03c3').normalize('NFKC');
}
