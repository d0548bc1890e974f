/** The header firewall: classes of fields that only those may bring, or get, who hold the right for them. Pure. */
import type { HeaderBlock } from './header-block.ts';
import { removeFields } from './header-edit.ts';

/** Names of the fields of each class, in lower case; one that ends in '-' stands for all that begin so. */
export const headerClasses = {
  Routing: ['received', 'resent-'],
  Organization: ['x-ms-exchange-organization-'],
  Forest: ['x-ms-exchange-forest-'],
} as const;

/** Beginnings of field names of the organization: as they cross the Internet in a hybrid organization, and within it. */
export const crossPremises = {
  outside: 'X-MS-Exchange-CrossPremises-',
  within: 'X-MS-Exchange-Organization-',
} as const;

/** A class of header fields. */
export type HeaderClass = keyof typeof headerClasses;

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
  if (!block.fields.some(({ name }) => isForbidden(name))) return undefined;
  const removed = new Set(block.fields.map(({ name }) => name).filter(isForbidden));
  return { header: removeFields(block, isForbidden), removed: [...removed] };
}
