/**
 * Keys of names: octets that are equal exactly for equal names (RFC 4517 §4.2.15) and sort so that everything below a name
 * follows it at once. A key is the RDN keys from the root down, each but the first led by a zero octet; so the names below
 * `k` are exactly the keys from `k 00` to before `k 01`.
 */
import type { Ava, Rdn } from './dn.ts';
import { prepare } from './string-preparation.ts';

/** What a key needs to know of the schema. */
export interface KeyContext {
  attribute(type: string):
    | {
        readonly key: string;
        readonly equalityRule?: { normalise(value: Buffer, context: never): Buffer | undefined } | undefined;
      }
    | undefined;
}

const separator = Buffer.from([0]);
const pairSeparator = Buffer.from([2]);

/** Key of an RDN: its pairs by type and normal form, sorted, so that their order does not count. */
export function rdnKeyOf(rdn: Rdn, context: KeyContext): Buffer {
  const [only] = rdn;
  if (only !== undefined && rdn.length === 1) return pairKey(only, context);
  const pairs = rdn.map((pair) => pairKey(pair, context)).sort((a, b) => a.compare(b));
  return Buffer.concat(pairs.flatMap((pair, i) => (i === 0 ? [pair] : [pairSeparator, pair])));
}

/** Key of a name from the keys of its RDNs, most specific first. */
export function joinRdnKeys(keys: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = keys.length - 1; i >= 0; i -= 1) {
    if (parts.length > 0) parts.push(separator);
    parts.push(keys[i] ?? separator);
  }
  return Buffer.concat(parts);
}

function pairKey({ type, value: given }: Ava, context: KeyContext): Buffer {
  const attribute = context.attribute(type);
  const normal =
    attribute?.equalityRule?.normalise(given, context as never) ??
    prepare(given, { ignoreCase: true, spaces: 'fold' }) ??
    given;
  const name = attribute?.key ?? type.toLowerCase();
  const value = escapeSeparators(normal);
  const nameLength = Buffer.byteLength(name);
  const key = Buffer.allocUnsafe(nameLength + 1 + value.length);
  key.write(name);
  key[nameLength] = 0x3d;
  value.copy(key, nameLength + 1);
  return key;
}

/** Octets 0, 1 and 2 become two, so that they can separate. */
function escapeSeparators(value: Buffer): Buffer {
  let at = 0;
  while (at < value.length && (value[at] ?? 0) > 2) at += 1;
  if (at === value.length) return value;
  return Buffer.from([...value].flatMap((byte) => (byte <= 2 ? [1, byte + 1] : [byte])));
}

/** Key of the parent; undefined for the key of a single RDN and of the empty name. */
export function parentKey(key: Buffer): Buffer | undefined {
  const at = key.lastIndexOf(0);
  return at < 0 ? undefined : key.subarray(0, at);
}

/** True when `key` is the key of something below `ancestor`. Everything but the root is below the empty key. */
export function isBelow(key: Buffer, ancestor: Buffer): boolean {
  if (ancestor.length === 0) return key.length > 0;
  return (
    key.length > ancestor.length &&
    key[ancestor.length] === 0 &&
    key.compare(ancestor, 0, ancestor.length, 0, ancestor.length) === 0
  );
}
