/** Reading DER by node-forge's ASN.1, for certificates of any key type. Nothing of forge leaves this file but its tree. */
import { createRequire } from 'node:module';
import type forge from 'node-forge';

// Its ASN.1 alone: the whole of it (TLS, PKCS#12, RSA, …) is 2 MB in each process that reads a name.
// And when the first one is read: who only parses configured names needs none of it.
const load = createRequire(import.meta.url);
const library = {
  get asn1(): typeof forge.asn1 {
    return load('node-forge/lib/asn1.js') as typeof forge.asn1;
  },
  get util(): typeof forge.util {
    return load('node-forge/lib/util.js') as typeof forge.util;
  },
};
const createBuffer = (octets: string): forge.util.ByteStringBuffer => library.util.createBuffer(octets);

/** Class bits of an identifier octet: X.690 §8.1.2.2. */
const classes = { universal: 0, contextSpecific: 0x80 } as const;

/** One element of the tree. */
export type DerNode = forge.asn1.Asn1;

/** Universal tags that names use. X.680 §8.4. */
export const tags = {
  octetString: 4,
  utf8String: 12,
  sequence: 16,
  set: 17,
  numericString: 18,
  printableString: 19,
  teletexString: 20,
  ia5String: 22,
  visibleString: 26,
  universalString: 28,
  bmpString: 30,
} as const;

/** The published types know an older form of the second argument. */
type FromDer = (
  bytes: forge.util.ByteStringBuffer,
  options: { readonly strict: boolean; readonly decodeBitStrings: boolean },
) => DerNode;

/** Reads one DER value. Throws RangeError. */
export function readDer(der: Buffer): DerNode {
  let tree: DerNode;
  try {
    // Bit strings (keys, signatures) are not looked into: what happens to look like DER in there is none of ours.
    const fromDer = library.asn1.fromDer as unknown as FromDer;
    tree = fromDer(createBuffer(der.toString('latin1')), { strict: true, decodeBitStrings: false });
  } catch (cause) {
    throw new RangeError('this is not DER', { cause });
  }
  // forge reads a BMPString of odd length one octet too far, into the element behind it. Only then do the octets differ.
  if (holdsBmpString(tree) && !writeDer(tree).equals(der)) throw new RangeError('this is not DER');
  return tree;
}

/** The octets of an element. */
export function writeDer(node: DerNode): Buffer {
  return Buffer.from(library.asn1.toDer(node).getBytes(), 'latin1');
}

/** forge looks at the tag number alone, so that `[30]` of any class is read as a BMPString. */
function holdsBmpString(node: DerNode): boolean {
  return Array.isArray(node.value) ? node.value.some(holdsBmpString) : Number(node.type) === tags.bmpString;
}

/** Elements of a SEQUENCE or SET; none for a primitive value. */
export function children(node: DerNode | undefined): readonly DerNode[] {
  return Array.isArray(node?.value) ? node.value : [];
}

/** Octets of a primitive value; none for a constructed one. */
export function octets(node: DerNode | undefined): Buffer {
  if (typeof node?.value !== 'string') return Buffer.alloc(0);
  // forge hands out the code units of a BMPString, and the octets of everything else.
  return Number(node.type) === tags.bmpString
    ? Buffer.from(node.value, 'utf16le').swap16()
    : Buffer.from(node.value, 'latin1');
}

/** Dotted form of an OBJECT IDENTIFIER. Throws RangeError for one that is not encoded as DER demands. */
export function objectIdentifier(node: DerNode | undefined): string {
  const encoded = octets(node);
  if (!isIdentifier(encoded)) throw new RangeError('an object identifier does not read');
  try {
    return library.asn1.derToOid(createBuffer(encoded.toString('latin1')));
  } catch (cause) {
    throw new RangeError('an object identifier does not read', { cause });
  }
}

/**
 * X.690 §8.19.2: no subidentifier begins with 0x80, and the last octet ends one. forge takes both, so that two encodings
 * would be read as one identifier.
 */
function isIdentifier(encoded: Buffer): boolean {
  const padded = encoded.some((octet, i) => octet === 0x80 && ((encoded[i - 1] ?? 0) & 0x80) === 0);
  return encoded.length > 0 && !padded && ((encoded.at(-1) ?? 0x80) & 0x80) === 0;
}

/** True for the context-specific element `[tag]`. */
export function isContext(node: DerNode, tag: number): boolean {
  return Number(node.tagClass) === classes.contextSpecific && Number(node.type) === tag;
}

/** True for an element of that universal tag. */
export function isUniversal(node: DerNode | undefined, tag: number): node is DerNode {
  return node !== undefined && Number(node.tagClass) === classes.universal && Number(node.type) === tag;
}
