/** Values of one attribute as a set: RFC 4512 §2.2, equality by the attribute's rule, by octets where it has none. */
import type { KnownAttribute, Schema } from '../../../ldap/index.ts';

/** A text that is the same for equal values. */
export function identityOf(attribute: KnownAttribute, value: Buffer, schema: Schema): string {
  const normal = attribute.equalityRule?.normalise(value, schema) ?? value;
  return normal.toString('latin1');
}

/** Position of an equal value, -1 for none. */
export function positionOf(
  attribute: KnownAttribute,
  values: readonly Buffer[],
  wanted: Buffer,
  schema: Schema,
): number {
  const identity = identityOf(attribute, wanted, schema);
  return values.findIndex((value) => identityOf(attribute, value, schema) === identity);
}

/** The first value that stands twice. */
export function repeated(attribute: KnownAttribute, values: readonly Buffer[], schema: Schema): Buffer | undefined {
  if (values.length < 2) return undefined;
  const seen = new Set<string>();
  return values.find((value) => {
    const identity = identityOf(attribute, value, schema);
    if (seen.has(identity)) return true;
    seen.add(identity);
    return false;
  });
}
