/**
 * DER as slices of its own octets, without a tree: for what is signed (the signature is of the octets as they came) and for
 * lists of many thousand entries. X.690 §8.1, §10.1.
 */

export interface DerSlice {
  /** The identifier octet: class, constructed or not, tag number below 31. */
  readonly tag: number;
  /** Header and content. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** Identifier octets that certificates' relatives use. */
export const sliceTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** The tag `[number]`, constructed or primitive. */
export const contextTag = (number: number, constructed = true): number => (constructed ? 0xa0 : 0x80) | number;

/** The element that begins at an offset. Throws RangeError for what is cut off or not DER. */
export function sliceAt(der: Buffer, at: number): DerSlice {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new RangeError('this is not DER');
  const octets = first < 0x80 ? 0 : first & 0x7f;
  // Indefinite lengths are none of DER's, and nothing here is larger than 2^24.
  if (first === 0x80 || octets > 3 || at + 2 + octets > der.length) throw new RangeError('this is not DER');
  const length = octets === 0 ? first : der.readUIntBE(at + 2, octets);
  const start = at + 2 + octets;
  if (start + length > der.length) throw new RangeError('an element of the DER is cut off');
  return { tag, whole: der.subarray(at, start + length), content: der.subarray(start, start + length) };
}

/** The elements that stand one behind the other. */
export function* slicesOf(content: Buffer): Generator<DerSlice, void> {
  for (let at = 0; at < content.length; ) {
    const slice = sliceAt(content, at);
    at += slice.whole.length;
    yield slice;
  }
}

/** The elements of a constructed one with that tag. Throws RangeError. */
export function membersOf(slice: DerSlice | undefined, tag: number, what: string): readonly DerSlice[] {
  return [...slicesOf(contentOf(slice, tag, what))];
}

/** The content of an element with that tag. Throws RangeError where there is none. */
export function contentOf(slice: DerSlice | undefined, tag: number, what: string): Buffer {
  if (slice?.tag !== tag) throw new RangeError(`${what} is missing`);
  return slice.content;
}

/** One element and nothing behind it. */
export function onlySlice(der: Buffer): DerSlice {
  const slice = sliceAt(der, 0);
  if (slice.whole.length !== der.length) throw new RangeError('octets follow the DER');
  return slice;
}

/** UTCTime or GeneralizedTime of DER (whole seconds, Z), in milliseconds since 1970. Throws RangeError. */
export function timeOf(slice: DerSlice | undefined, what: string): number {
  const text = slice?.content.toString('latin1') ?? '';
  const full = slice?.tag === sliceTags.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(full) ?? [];
  const at = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
  if (Number.isNaN(at)) throw new RangeError(`${what} is no time`);
  return at;
}
