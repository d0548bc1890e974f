/** Reading DER by node-forge's ASN.1, for certificates of any key type. Nothing of forge leaves this file but its tree. */
import { createRequire } from 'node:module';
import type forge from 'node-forge';

/** One element of the tree. */
// Its ASN.1 alone: the whole of it (TLS, PKCS#12, RSA, …) is 2 MB in each process that reads a name.
const load = createRequire(import.meta.url);
const asn1 = load('node-forge/lib/asn1.js') as typeof forge.asn1;
const { createBuffer } = load('node-forge/lib/util.js') as typeof forge.util;

export type DerNode = forge.asn1.Asn1;

/** The published types know an older form of the second argument. */
const fromDer = asn1.fromDer as unknown as (
  bytes: forge.util.ByteStringBuffer,
  options: { readonly strict: boolean; readonly decodeBitStrings: boolean },
) => DerNode;

/** Reads one DER value. Throws RangeError. */
export function readDer(der: Buffer): DerNode {
  try {
    // Bit strings (keys, signatures) are not looked into: what happens to look like DER in there is none of ours.
    return fromDer(createBuffer(der.toString('latin1')), { strict: true, decodeBitStrings: false });
  } catch (cause) {
    throw new RangeError('this is not DER', { cause });
  }
}

/** Elements of a SEQUENCE or SET; none for a primitive value. */
export function children(node: DerNode | undefined): readonly DerNode[] {
  return Array.isArray(node?.value) ? node.value : [];
}

/** Octets of a primitive value. */
export function octets(node: DerNode | undefined): Buffer {
  return typeof node?.value === 'string' ? Buffer.from(node.value, 'latin1') : Buffer.alloc(0);
}

/** Dotted form of an OBJECT IDENTIFIER. */
export function objectIdentifier(node: DerNode | undefined): string {
  return asn1.derToOid(createBuffer(octets(node).toString('latin1')));
}

/** True for the context-specific element `[tag]`. */
export function isContext(node: DerNode, tag: number): boolean {
  return node.tagClass === asn1.Class.CONTEXT_SPECIFIC && Number(node.type) === tag;
}

/** How each string type is encoded. forge leaves UTF8String and BMPString as octets. */
const decoders: Readonly<Record<number, (value: Buffer) => string>> = {
  [asn1.Type.UTF8]: (value) => value.toString('utf8'),
  [asn1.Type.BMPSTRING]: (value) =>
    Buffer.from(value.subarray(0, value.length & ~1))
      .swap16()
      .toString('utf16le'),
  /** UniversalString. */
  28: (value) => String.fromCodePoint(...codePoints(value)),
};

function codePoints(value: Buffer): number[] {
  const points = Array.from({ length: value.length >> 2 }, (_, i) => value.readUInt32BE(i * 4));
  return points.map((point) => (point > 0x10ffff ? 0xfffd : point));
}

/** Text of a string of any type; PrintableString, IA5String and (as everybody does) TeletexString octet by octet. */
export function stringValue(node: DerNode | undefined): string {
  const decode = decoders[Number(node?.type)];
  return decode === undefined ? octets(node).toString('latin1') : decode(octets(node));
}
