/**
 * Index keys: attribute key, zero octet, a letter for the kind of index, normal form of the value. Normal forms sort as the
 * values do, so the equality index also answers ordering and the beginnings of values.
 */
import { createHash } from 'node:crypto';
import type { IndexKind, KnownAttribute, Schema } from '../../../ldap/index.ts';

/** Longest part of a normal form that stands in a key; what is longer is cut and told apart by its hash. */
const longestValue = 300;

/** Most trigrams kept for one value; candidates are tested anyway, so a miss of the rest only costs time ... */
const mostTrigrams = 2_000;

const letters: Readonly<Record<'eq' | 'pres' | 'sub', number>> = { eq: 0x65, pres: 0x70, sub: 0x73 };

type KeptKind = 'eq' | 'pres' | 'sub';

const workedOut = new WeakMap<KnownAttribute, readonly KeptKind[]>();

/** The index kinds that are kept for an attribute: `ord` is answered by the equality index. */
function keptKinds(attribute: KnownAttribute): readonly KeptKind[] {
  const known = workedOut.get(attribute) ?? workOutKinds(attribute);
  workedOut.set(attribute, known);
  return known;
}

function workOutKinds(attribute: KnownAttribute): readonly KeptKind[] {
  const has = (kind: IndexKind): boolean => attribute.indexes.includes(kind);
  return [
    ...((has('eq') || has('ord')) && attribute.equalityRule !== undefined ? (['eq'] as const) : []),
    ...(has('pres') ? (['pres'] as const) : []),
    ...(has('sub') && attribute.substringsRule?.haystack !== undefined ? (['sub'] as const) : []),
  ];
}

/** Names of the indexes that a schema asks for, sorted: `eq mail`. */
export function declaredIndexes(schema: Schema): string[] {
  return schema.attributeTypes
    .flatMap((attribute) => keptKinds(attribute).map((kind) => `${kind} ${attribute.key}`))
    .sort();
}

function keyOf(attribute: KnownAttribute, kind: 'eq' | 'pres' | 'sub', rest: Buffer): Buffer {
  const name = attribute.key;
  const key = Buffer.allocUnsafe(name.length + 2 + rest.length);
  key.write(name, 0, 'latin1');
  key[name.length] = 0;
  key[name.length + 1] = letters[kind];
  rest.copy(key, name.length + 2);
  return key;
}

const none = Buffer.alloc(0);

export function presenceKey(attribute: KnownAttribute): Buffer {
  return keyOf(attribute, 'pres', none);
}

/** Key of a value in the equality index, from its normal form. */
export function equalityKey(attribute: KnownAttribute, normal: Buffer): Buffer {
  if (normal.length <= longestValue) return keyOf(attribute, 'eq', normal);
  const hash = createHash('sha256').update(normal).digest().subarray(0, 16);
  return keyOf(attribute, 'eq', Buffer.concat([normal.subarray(0, longestValue), hash]));
}

/** First and past-the-last key of the values that begin so. */
export function prefixRange(
  attribute: KnownAttribute,
  prefix: Buffer,
): { readonly start: Buffer; readonly end: Buffer } {
  const start = keyOf(attribute, 'eq', prefix.subarray(0, longestValue));
  return { start, end: successor(start) };
}

/** Keys of values from `low` on, or up to `high`; ends that were cut are widened, candidates are tested anyway. */
export function orderRange(
  attribute: KnownAttribute,
  low: Buffer | undefined,
  high: Buffer | undefined,
): { readonly start: Buffer; readonly end: Buffer } {
  const all = keyOf(attribute, 'eq', none);
  return {
    start: low === undefined ? all : keyOf(attribute, 'eq', low.subarray(0, longestValue)),
    end:
      high === undefined
        ? successor(all)
        : high.length > longestValue
          ? successor(keyOf(attribute, 'eq', high.subarray(0, longestValue)))
          : Buffer.concat([keyOf(attribute, 'eq', high), Buffer.from([0])]),
  };
}

/** The least key that begins otherwise and sorts behind. */
function successor(prefix: Buffer): Buffer {
  for (let end = prefix.length; end > 0; end -= 1) {
    const last = prefix[end - 1] ?? 0;
    if (last === 255) continue;
    const next = Buffer.from(prefix.subarray(0, end));
    next[end - 1] = last + 1;
    return next;
  }
  throw new RangeError('nothing sorts behind this key');
}

export function trigramKey(attribute: KnownAttribute, trigram: Buffer): Buffer {
  return keyOf(attribute, 'sub', trigram);
}

/** Every three octets in a row without a space, each once. */
export function trigrams(text: Buffer): Buffer[] {
  const found = new Map<number, Buffer>();
  for (let i = 0; i + 3 <= text.length && found.size < mostTrigrams; i += 1) {
    const [a = 0, b = 0, c = 0] = [text[i], text[i + 1], text[i + 2]];
    if (a !== 0x20 && b !== 0x20 && c !== 0x20) found.set((a << 16) | (b << 8) | c, text.subarray(i, i + 3));
  }
  return [...found.values()];
}

/** True for a value whose trigrams are not all kept: it must be found without them. */
function hasTooManyTrigrams(text: Buffer): boolean {
  return text.length > mostTrigrams;
}

/** Key under which values with too many trigrams are found. */
export function overflowKey(attribute: KnownAttribute): Buffer {
  return keyOf(attribute, 'sub', none);
}

/** All index keys of an attribute's values. */
export function indexKeys(attribute: KnownAttribute, values: readonly Buffer[], schema: Schema): Buffer[] {
  const keys: Buffer[] = [];
  pushIndexKeys(keys, attribute, values, schema);
  return keys;
}

/** As `indexKeys`, behind those that are there. */
export function pushIndexKeys(
  keys: Buffer[],
  attribute: KnownAttribute,
  values: readonly Buffer[],
  schema: Schema,
): void {
  if (values.length === 0) return;
  for (const kind of keptKinds(attribute)) {
    if (kind === 'pres') keys.push(presenceKey(attribute));
    else if (kind === 'sub') for (const value of values) keys.push(...substringKeys(attribute, value, schema));
    else
      for (const value of values) {
        const normal = attribute.equalityRule?.normalise(value, schema);
        if (normal !== undefined) keys.push(equalityKey(attribute, normal));
      }
  }
}

function* substringKeys(attribute: KnownAttribute, value: Buffer, schema: Schema): Generator<Buffer, void, undefined> {
  const normal = attribute.substringsRule?.normalise(value, schema);
  if (normal === undefined) return;
  if (hasTooManyTrigrams(normal)) yield overflowKey(attribute);
  else for (const trigram of trigrams(normal)) yield trigramKey(attribute, trigram);
}
