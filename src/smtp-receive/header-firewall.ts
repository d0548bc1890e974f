/** The header firewall of receiving: fields that only those may bring who hold the right for their class. Pure. */
import type { Right } from '../config/index.ts';
import { type HeaderBlock, removeFields } from '../mail/index.ts';

/** Classes of fields by their right. Names in lower case; one that ends in '-' stands for all that begin so. */
const classes: readonly (readonly [Right, readonly string[]])[] = [
  ['ms-Exch-Accept-Headers-Routing', ['received', 'resent-']],
  ['ms-Exch-Accept-Headers-Organization', ['x-ms-exchange-organization-']],
  ['ms-Exch-Accept-Headers-Forest', ['x-ms-exchange-forest-']],
];

/** Beginnings and names of the fields that a session may not bring. */
export function forbiddenFields(granted: { has(right: Right): boolean }): readonly string[] {
  return classes.flatMap(([right, names]) => (granted.has(right) ? [] : names));
}

/** What the firewall leaves. */
export interface Screened {
  readonly header: Buffer;
  /** Names of the fields that were taken away, each once. */
  readonly removed: readonly string[];
}

/** Undefined when nothing is to be taken away. */
export function screenHeader(block: HeaderBlock, forbidden: readonly string[]): Screened | undefined {
  if (forbidden.length === 0) return undefined;
  const isForbidden = (name: string): boolean =>
    forbidden.some((one) => (one.endsWith('-') ? name.startsWith(one) : name === one));
  const removed = block.fields.filter(({ name }) => isForbidden(name));
  if (removed.length === 0) return undefined;
  return { header: removeFields(block, isForbidden), removed: [...new Set(removed.map(({ name }) => name))] };
}
