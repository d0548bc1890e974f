/** Entries to objects and back. Both directions go through the rows of the table, nothing is listed twice. */
import { type Entry, formatGuid, type Modification, parseGeneralizedTime } from '../../ldap/index.ts';
import { ConfigError } from './config-error.ts';
import { serverOfDn } from './fixed-properties.ts';
import type { ObjectTable, TableShape } from './object-table.ts';
import {
  type AnyProperty,
  defaultOf,
  type ObjectIdentity,
  type PackedProperty,
  type Properties,
  type ServerRole,
  type ValuesOf,
} from './property.ts';

/** An object as decoded, or everything that is wrong with its entry. */
export type Decoded<P extends Properties> =
  | { readonly ok: true; readonly object: ValuesOf<P> & ObjectIdentity }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Reads every property of an entry and says everything that is wrong, not only the first thing. */
export function tryDecode<P extends Properties>(table: ObjectTable<P>, entry: Entry, role: ServerRole): Decoded<P> {
  const errors: ConfigError[] = [];
  const fields = Object.entries(table.properties).map(([field, row]) => {
    try {
      return [field, readProperty(table, row, entry, role)] as const;
    } catch (cause) {
      errors.push(new ConfigError(entry.dn, row.attribute, { cause }));
      return [field, undefined] as const;
    }
  });
  if (errors.length > 0) return { ok: false, errors };
  const object = { ...identityOf(table, entry), ...Object.fromEntries(fields) };
  return { ok: true, object: Object.freeze(object) as ValuesOf<P> & ObjectIdentity };
}

/** Entry to object. Throws ConfigError, which names the entry and the attribute at fault. */
export function decode<P extends Properties>(
  table: ObjectTable<P>,
  entry: Entry,
  role: ServerRole,
): ValuesOf<P> & ObjectIdentity {
  const decoded = tryDecode(table, entry, role);
  if (decoded.ok) return decoded.object;
  throw decoded.errors[0] ?? new Error('a failure without a reason');
}

function identityOf(table: TableShape, entry: Entry): ObjectIdentity {
  const name = entry.values('cn')[0] ?? entry.dn;
  const server = table.scope === 'server' && table.path !== '' ? serverOfDn(entry.dn) : '';
  const guid = entry.buffers('objectGUID')[0];
  return {
    dn: entry.dn,
    guid: guid?.length === 16 ? formatGuid(guid) : '',
    name,
    identity: server === '' ? name : `${server}\\${name}`,
    whenCreated: timeOf(entry, 'whenCreated'),
    whenChanged: timeOf(entry, 'whenChanged'),
  };
}

function timeOf(entry: Entry, attribute: string): Date | null {
  const [value] = entry.values(attribute);
  return value === undefined ? null : new Date(parseGeneralizedTime(value));
}

function readProperty(table: TableShape, row: AnyProperty, entry: Entry, role: ServerRole): unknown {
  if (row.attribute === 'distinguishedName') return row.syntax.read([entry.dn]);
  const values = entry.values(row.attribute);
  if (row.bit !== undefined) {
    const packed = values.length === 0 ? defaultBits(table, row.attribute, role) : readPacked(values);
    return row.syntax.fromBits(unpack(row, packed));
  }
  return values.length === 0 ? defaultOf(row, role) : row.syntax.read(values);
}

function readPacked(values: readonly string[]): number {
  const [text = ''] = values;
  if (values.length !== 1 || !/^-?\d{1,10}$/.test(text))
    throw new RangeError(`'${text.slice(0, 40)}' is not an integer`);
  return Number(text) | 0;
}

const bitsOf = (row: PackedProperty<unknown>): readonly number[] => (typeof row.bit === 'number' ? [row.bit] : row.bit);

function unpack(row: PackedProperty<unknown>, packed: number): number {
  return bitsOf(row).reduce((value, bit, at) => value | (((packed >>> bit) & 1) << at), 0);
}

function pack(row: PackedProperty<unknown>, value: unknown, packed: number): number {
  const own = row.syntax.toBits(value);
  return bitsOf(row).reduce(
    (sum, bit, at) => (((own >>> at) & 1) === 1 ? sum | (1 << bit) : sum & ~(1 << bit)),
    packed,
  );
}

/** The integer that an attribute of packed properties holds when all have their defaults. */
function defaultBits(table: TableShape, attribute: string, role: ServerRole): number {
  return Object.values(table.properties).reduce(
    (sum, row) => (row.bit !== undefined && row.attribute === attribute ? pack(row, defaultOf(row, role), sum) : sum),
    0,
  );
}

/** Everything that a new entry holds: classes, name and every property that is not empty. */
export function attributesOf<P extends Properties>(
  table: ObjectTable<P>,
  name: string,
  values: ValuesOf<P>,
  role: ServerRole,
): ReadonlyMap<string, readonly string[]> {
  const blank = emptyEntry;
  const attributes = new Map<string, readonly string[]>([
    ['objectClass', table.objectClasses],
    ['cn', [name]],
  ]);
  // A bit that no cmdlet sets belongs to an integer that others do: the whole of it is written.
  const rows = Object.entries<AnyProperty>(table.properties).filter(
    ([, row]) => row.readOnly !== true || row.bit !== undefined,
  );
  for (const [attribute, written] of writeProperties(table, blank, rows, values, role)) {
    if (written.length > 0) attributes.set(attribute, written);
  }
  return attributes;
}

/**
 * Modifications that bring an entry to `changes`; only attributes whose values become others. Bits and access control
 * entries that no property stands for are kept.
 */
export function encode<P extends Properties>(
  table: ObjectTable<P>,
  entry: Entry,
  changes: Partial<ValuesOf<P>>,
  role: ServerRole,
): readonly Modification[] {
  const rows = Object.entries<AnyProperty>(table.properties).filter(([field]) => field in changes);
  const written = writeProperties(table, entry, rows, changes, role);
  return [...written].flatMap(([attribute, values]) => {
    const before = entry.values(attribute);
    if (sameValues(before, values)) return [];
    return [{ operation: 'replace', attribute, values: values.map((value) => Buffer.from(value)) }];
  });
}

function sameValues(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && after.every((value) => before.includes(value));
}

function writeProperties(
  table: TableShape,
  entry: Entry,
  rows: readonly (readonly [field: string, row: AnyProperty])[],
  values: Readonly<Record<string, unknown>>,
  role: ServerRole,
): ReadonlyMap<string, readonly string[]> {
  const written = new Map<string, readonly string[]>();
  for (const [field, row] of rows) {
    const current = written.get(row.attribute) ?? entry.values(row.attribute);
    if (row.bit === undefined) {
      const value = values[field];
      written.set(row.attribute, row.syntax.merge?.(value, current) ?? row.syntax.write(value));
      continue;
    }
    const packed = current.length === 0 ? defaultBits(table, row.attribute, role) : readPacked(current);
    written.set(row.attribute, [String(pack(row, values[field], packed))]);
  }
  return written;
}

const emptyEntry: Entry = { dn: '', attributes: [], values: () => [], buffers: () => [] };
