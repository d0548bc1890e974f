/** X.500 names as a structure, read from the DER. RFC 5280 §4.1.2.4. */
import { children, type DerNode, isUniversal, objectIdentifier, tags, writeDer } from '../der/der.ts';
import { directoryString } from '../der/directory-string.ts';

export interface NameAttribute {
  /** Dotted object identifier. */
  readonly oid: string;
  /** Decoded text; '' when it does not decode. */
  readonly value: string;
  /** DER of the value, in hexadecimal: only where the value does not decode. Such an attribute equals no other. */
  readonly undecoded?: string;
}

/** One step of the name; more than one attribute makes it multi-valued. */
export type RelativeName = readonly NameAttribute[];

/** In the order of the encoding: country first, common name last. */
export type DistinguishedName = readonly RelativeName[];

/** Structure of a Name as encoded. Multi-valued steps stay what they are. Throws RangeError for what is no Name. */
export function nameFromDer(name: DerNode | undefined): DistinguishedName {
  return elements(name, tags.sequence).map((step) => {
    const attributes = elements(step, tags.set).map(attributeFromDer);
    if (attributes.length === 0) throw new RangeError('a step of the name is empty');
    return attributes;
  });
}

function attributeFromDer(attribute: DerNode): NameAttribute {
  const [type, value, ...more] = elements(attribute, tags.sequence);
  if (value === undefined || more.length > 0) throw new RangeError('an attribute of the name is not type and value');
  const oid = objectIdentifier(type);
  const text = directoryString(value);
  return text === undefined ? { oid, value: '', undecoded: writeDer(value).toString('hex') } : { oid, value: text };
}

function elements(node: DerNode | undefined, tag: number): readonly DerNode[] {
  if (!isUniversal(node, tag) || !Array.isArray(node.value)) throw new RangeError('this is no X.500 name');
  return children(node);
}
