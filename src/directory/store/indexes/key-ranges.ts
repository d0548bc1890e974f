/** Ranges of name keys: everything below a key lies between the key with a 0 octet and the key with a 1 octet behind it. */
import { isBelow } from '../../../ldap/index.ts';
import type { SearchScope } from '../entries/contract.ts';

/** Longest key of a name, in octets: LMDB takes 1978. */
export const longestKey = 1_900;

const beforeChildren = Buffer.from([0]);
const afterChildren = Buffer.from([1]);

/** Range of the keys below a key; of all keys for the empty one. */
export function rangeBelow(key: Buffer): { start?: Buffer; end?: Buffer } {
  return key.length === 0 ? {} : { start: Buffer.concat([key, beforeChildren]), end: behindSubtree(key) };
}

/** The least key behind everything below `key`. */
export function behindSubtree(key: Buffer): Buffer {
  return Buffer.concat([key, afterChildren]);
}

/** The child of `base` that `key` is or lies below. */
export function childOf(base: Buffer, key: Buffer): Buffer {
  const end = key.indexOf(0, base.length === 0 ? 0 : base.length + 1);
  return end < 0 ? key : key.subarray(0, end);
}

/** True when `key` lies in the scope of a search from `base`. */
export function inScope(key: Buffer, base: Buffer, scope: SearchScope): boolean {
  if (scope === 'base' || scope === 'sub') {
    if (key.equals(base)) return base.length > 0;
    if (scope === 'base') return false;
  }
  return isBelow(key, base) && (scope !== 'one' || childOf(base, key).length === key.length);
}
