/** Checks the databases of a store against each other. */
import { isBelow, parentKey } from '../../../ldap/index.ts';
import type { Finding } from '../entries/contract.ts';
import { StoredEntry } from '../entries/stored-entry.ts';
import { readMeta } from '../files/environment.ts';
import { idOf } from '../indexes/lmdb-index.ts';
import type { StoreReader } from '../records/store-reader.ts';
import { keysOf } from '../records/store-writer.ts';

/** Yields every disagreement between names, entries, tree, indexes, and sequence numbers. */
export function* verifyStore(reader: StoreReader): Generator<Finding, void, undefined> {
  const { environment } = reader;
  const usn = readMeta(environment, 'usn');
  const nextId = readMeta(environment, 'nextId');
  for (const { key: id, value } of environment.entries.getRange()) {
    const where = `entry ${id}`;
    try {
      const entry = new StoredEntry(Buffer.from(value), reader);
      entry.encoded.toData();
      if (id >= nextId) yield { where, what: `has a number that was not given out yet (next is ${nextId})` };
      yield* verifyEntry(reader, id, entry, usn);
    } catch (error) {
      yield { where, what: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  yield* verifyNames(reader);
  yield* verifyIndexes(reader);
}

function* verifyEntry(reader: StoreReader, id: number, entry: StoredEntry, usn: number): Generator<Finding> {
  const where = `entry ${id} '${entry.dn}'`;
  const key = reader.keyOf(entry.dn);
  if (!key.equals(entry.encoded.key)) yield { where, what: 'its key is not that of its name' };
  if (reader.idByKey(entry.encoded.key) !== id) yield { where, what: 'is not found by its name' };
  const parent = parentKey(entry.encoded.key);
  const isContext = reader.namingContexts.includes(entry.dn);
  const hasParent = parent !== undefined && reader.idByKey(parent) !== undefined;
  if (!hasParent && !isContext) yield { where, what: 'has no entry above it and is no naming context' };
  if (entry.encoded.usnChanged > usn)
    yield { where, what: `was changed at ${entry.encoded.usnChanged}, after the last change ${usn}` };
}

function* verifyNames(reader: StoreReader): Generator<Finding> {
  for (const { key, value } of reader.environment.names.getRange()) {
    if (reader.byId(idOf(value)) === undefined)
      yield { where: `name ${Buffer.from(key).toString('latin1')}`, what: 'leads to no entry' };
  }
  for (const context of reader.namingContexts) {
    const key = reader.keyOf(context);
    if (reader.idByKey(key) === undefined) yield { where: `naming context '${context}'`, what: 'does not exist' };
    const above = reader.namingContexts.find((other) => isBelow(key, reader.keyOf(other)));
    if (above !== undefined) yield { where: `naming context '${context}'`, what: `lies below '${above}'` };
  }
}

/** Every place that the entries ask for is there, and no other: compared by sums first, one by one where these differ. */
function* verifyIndexes(reader: StoreReader): Generator<Finding> {
  const [wanted, found] = [new PlaceSums(), new PlaceSums()];
  for (const { key, id } of expectedPlaces(reader)) wanted.add(key, id);
  for (const { key, id } of reader.index.everything()) found.add(key, id);
  for (const name of new Set([...wanted.names, ...found.names])) {
    if (!wanted.equals(found, name)) yield* differences(reader, name);
  }
}

function* expectedPlaces(reader: StoreReader): Generator<{ readonly key: Buffer; readonly id: number }> {
  const indexed = reader.schema.attributeTypes.filter(({ indexes }) => indexes.length > 0).map(({ key }) => key);
  for (const { key: id, value } of reader.environment.entries.getRange()) {
    const entry = new StoredEntry(Buffer.from(value), reader);
    for (const attribute of indexed)
      for (const key of keysOf(attribute, entry, reader.schema).values()) yield { key, id };
  }
}

function* differences(reader: StoreReader, name: string): Generator<Finding> {
  const places = new Map<string, number>();
  for (const { key, id } of expectedPlaces(reader))
    if (indexName(key) === name) places.set(`${key.toString('latin1')} ${id}`, id);
  const where = `index ${name}`;
  for (const { key, id } of reader.index.everything()) {
    if (indexName(key) !== name) continue;
    if (!places.delete(`${key.toString('latin1')} ${id}`))
      yield { where, what: `holds entry ${id} where it does not belong: rebuild it` };
  }
  for (const id of places.values()) yield { where, what: `misses entry ${id}: rebuild it` };
}

/** Attribute and letter of the kind, as they lead an index key. */
function indexName(key: Buffer): string {
  const end = key.indexOf(0);
  return key.toString('latin1', 0, end).concat(' ', key.toString('latin1', end + 1, end + 2));
}

/** Sums over the places of each index that do not depend on their order. */
class PlaceSums {
  readonly #sums = new Map<string, { count: number; sum: number }>();

  get names(): Iterable<string> {
    return this.#sums.keys();
  }

  add(key: Buffer, id: number): void {
    const name = indexName(key);
    const sums = this.#sums.get(name) ?? { count: 0, sum: 0 };
    this.#sums.set(name, sums);
    let hash = id ^ 0x811c9dc5;
    for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
    sums.count += 1;
    // Stays below 2^53 for as many places as there are numbers for entries.
    sums.sum = (sums.sum + (hash >>> 0)) % 2 ** 52;
  }

  equals(other: PlaceSums, name: string): boolean {
    const [left, right] = [this.#sums.get(name), other.#sums.get(name)];
    return left?.count === right?.count && left?.sum === right?.sum;
  }
}
