/** Text of an attribute value by its ASN.1 string type: RFC 4518 §2.1 (transcode), X.680 §41. */
import { type DerNode, isUniversal, octets, tags } from './der.ts';

/** Decoded text, or undefined for octets that are none in that type. Each decoder sees the octets of the value. */
type Decoder = (value: Buffer) => string | undefined;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const decodeUtf8: Decoder = (value) => {
  try {
    return utf8.decode(value);
  } catch {
    // Overlong forms, surrogates and stray octets: no text, and above all not U+FFFD, in which all of them are alike.
    return undefined;
  }
};

/** Types of seven bits. PrintableString is not held to its 74 characters: '@', '&' and '*' in it are everywhere. */
const decodeAscii: Decoder = (value) => (value.every((octet) => octet < 0x80) ? value.toString('latin1') : undefined);

/** UCS-2: two octets for each character, without surrogates (X.680 §41.15). */
const decodeBmp: Decoder = (value) => {
  if (value.length % 2 !== 0) return undefined;
  const text = Buffer.from(value).swap16().toString('utf16le');
  return /[\ud800-\udfff]/.test(text) ? undefined : text;
};

/** UCS-4: four octets for each character. */
const decodeUniversal: Decoder = (value) => {
  if (value.length % 4 !== 0) return undefined;
  let text = '';
  for (let at = 0; at < value.length; at += 4) {
    const point = value.readUInt32BE(at);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
};

/**
 * T.61 as every maker of certificates writes it and OpenSSL, Java and Go read it: ISO 8859-1. True T.61 switches its
 * character sets by ESC and shifts, which are control characters here: such a value matches no configured name.
 */
const decodeTeletex: Decoder = (value) => value.toString('latin1');

const decoders: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [tags.utf8String, decodeUtf8],
  [tags.numericString, decodeAscii],
  [tags.printableString, decodeAscii],
  [tags.ia5String, decodeAscii],
  [tags.visibleString, decodeAscii],
  [tags.teletexString, decodeTeletex],
  [tags.universalString, decodeUniversal],
  [tags.bmpString, decodeBmp],
]);

/** Undefined: not a string, or one that does not decode by the rules of its type. */
export function directoryString(node: DerNode | undefined): string | undefined {
  // A string in pieces is BER; in DER it is whole (X.690 §10.2).
  if (node === undefined || typeof node.value !== 'string') return undefined;
  const tag = Number(node.type);
  return isUniversal(node, tag) ? decoders.get(tag)?.(octets(node)) : undefined;
}
