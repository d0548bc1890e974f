/** Puts checked changes into the databases, within a transaction: entry, name, indexes, change log, tombstone. */
import type { Schema } from '../../../ldap/index.ts';
import type { Change } from '../entries/contract.ts';
import { type EntryData, encodeEntry } from '../entries/entry-data.ts';
import { headerKeys, StoredEntry } from '../entries/stored-entry.ts';
import { type Environment, type Meta, readMeta } from '../files/environment.ts';
import { indexKeys, pushIndexKeys } from '../indexes/index-keys.ts';
import { idOctets } from '../indexes/lmdb-index.ts';
import { formatChange, usnOctets } from './change-log.ts';
import type { StoreReader } from './store-reader.ts';

/** Lines kept in the change log. */
const changesKept = 200_000;

/** Keys by their text. */
interface IndexChange {
  readonly before: ReadonlyMap<string, Buffer>;
  readonly after: ReadonlyMap<string, Buffer>;
}

const noKeys: ReadonlyMap<string, Buffer> = new Map();

export class StoreWriter {
  readonly #reader: StoreReader;
  readonly #environment: Environment;
  readonly #tombstoneLifetimeMs: number;
  #usn = 0;
  #nextId = 0;

  constructor(reader: StoreReader, tombstoneLifetimeMs: number) {
    this.#reader = reader;
    this.#environment = reader.environment;
    this.#tombstoneLifetimeMs = tombstoneLifetimeMs;
  }

  /** Runs work within a transaction that can be aborted: counters are taken from the store before and put back behind. */
  counting<T>(work: () => T): T {
    const [usn, nextId] = [readMeta(this.#environment, 'usn'), readMeta(this.#environment, 'nextId')];
    this.#usn = usn;
    this.#nextId = nextId;
    const result = work();
    if (this.#usn !== usn) this.put('usn', this.#usn);
    if (this.#nextId !== nextId) this.put('nextId', this.#nextId);
    return result;
  }

  /** Runs one piece of work of several: when it throws, which it does before it writes, the numbers it took are free again. */
  attempt<T>(work: () => T): T {
    const [usn, nextId] = [this.#usn, this.#nextId];
    try {
      return work();
    } catch (error) {
      this.#usn = usn;
      this.#nextId = nextId;
      throw error;
    }
  }

  nextUsn(): number {
    this.#usn += 1;
    return this.#usn;
  }

  /** Makes the next number one behind this one, when it is not already. */
  raiseUsn(usn: number): void {
    this.#usn = Math.max(this.#usn, usn);
  }

  put<K extends keyof Meta>(key: K, value: Meta[K]): void {
    void this.#environment.meta.put(key, value);
  }

  insert(entry: StoredEntry): void {
    const id = this.#nextId;
    // Worked out before anything is written: what throws leaves nothing behind.
    const keys: Buffer[] = [];
    for (const name of headerKeys) this.#pushKeys(keys, name, () => entry.buffers(name));
    for (const { attribute, values } of entry.encoded.attributes) this.#pushKeys(keys, attribute, () => values);
    this.#nextId += 1;
    void this.#environment.names.put(entry.encoded.key, idOctets(id));
    void this.#environment.entries.put(id, entry.encoded.octets);
    for (const key of keys) this.#reader.index.add(key, id);
  }

  /** Replaces an entry; its key may have changed. */
  update(before: StoredEntry, after: StoredEntry): void {
    const id = this.#idOf(before);
    const names = new Set([...namesOf(before), ...namesOf(after)]);
    // Worked out before anything is written, as with an insert.
    const changes = [...names].map((name) => this.#indexChanges(name, before, after));
    if (!before.encoded.key.equals(after.encoded.key)) {
      void this.#environment.names.remove(before.encoded.key);
      void this.#environment.names.put(after.encoded.key, idOctets(id));
    }
    void this.#environment.entries.put(id, after.encoded.octets);
    for (const change of changes) this.#apply(id, change);
  }

  remove(entry: StoredEntry): void {
    const id = this.#idOf(entry);
    for (const name of namesOf(entry)) this.#apply(id, this.#indexChanges(name, entry, undefined));
    void this.#environment.names.remove(entry.encoded.key);
    void this.#environment.entries.remove(id);
  }

  /** `guid`: of the entry, where its octets are at hand. */
  log(change: Change, guid?: Buffer): void {
    void this.#environment.changes.put(usnOctets(change.usn), formatChange(change, guid));
    if (change.usn > changesKept) void this.#environment.changes.remove(usnOctets(change.usn - changesKept));
  }

  bury(data: EntryData): void {
    void this.#environment.tombstones.put(usnOctets(data.usnChanged), encodeEntry(data));
    this.sweepTombstones(data.changed, 4);
  }

  /** Takes the tombstone of a deletion away: its entry is back. */
  exhume(usn: number): void {
    void this.#environment.tombstones.remove(usnOctets(usn));
  }

  /** Drops tombstones that have lived their time, oldest first, at most so many. */
  sweepTombstones(now: number, atMost: number): void {
    for (const { key, value } of [...this.#environment.tombstones.getRange({ limit: atMost })]) {
      const { changed } = new StoredEntry(Buffer.from(value), this.#reader).encoded;
      if (changed + this.#tombstoneLifetimeMs > now) return;
      void this.#environment.tombstones.remove(Buffer.from(key));
    }
  }

  #idOf(entry: StoredEntry): number {
    const id = this.#reader.idByKey(entry.encoded.key);
    if (id === undefined) throw new Error(`the store lost the name of '${entry.dn}' within a transaction`);
    return id;
  }

  /** A key that comes twice is put twice: the database keeps it once. */
  #pushKeys(keys: Buffer[], name: string, values: () => readonly Buffer[]): void {
    const { schema } = this.#reader;
    const attribute = schema.describe(name)?.attribute;
    if (attribute !== undefined && attribute.indexes.length > 0) pushIndexKeys(keys, attribute, values(), schema);
  }

  /** How the keys of one attribute change; undefined where they do not. */
  #indexChanges(name: string, before: StoredEntry, after: StoredEntry | undefined): IndexChange | undefined {
    const attribute = this.#reader.schema.describe(name)?.attribute;
    if (attribute === undefined || attribute.indexes.length === 0) return undefined;
    const [old, now] = [before.buffers(name), after?.buffers(name) ?? []];
    if (old.length === now.length && old.every((value, i) => now[i] !== undefined && value.equals(now[i])))
      return undefined;
    // Values with options stand under the same keys: look at the attribute as a whole.
    return {
      before: keysOf(attribute.key, before, this.#reader.schema),
      after: keysOf(attribute.key, after, this.#reader.schema),
    };
  }

  #apply(id: number, change: IndexChange | undefined): void {
    if (change === undefined) return;
    const { before, after } = change;
    for (const [text, key] of before) if (!after.has(text)) this.#reader.index.remove(key, id);
    for (const [text, key] of after) if (!before.has(text)) this.#reader.index.add(key, id);
  }
}

/** Index keys of one attribute of an entry, with all its options. */
export function keysOf(
  attributeKey: string,
  entry: StoredEntry | undefined,
  schema: Schema,
): ReadonlyMap<string, Buffer> {
  const attribute = schema.attribute(attributeKey);
  if (entry === undefined || attribute === undefined) return noKeys;
  return new Map(
    indexKeys(attribute, entry.valuesOfType(attributeKey), schema).map((key) => [key.toString('latin1'), key]),
  );
}

/** Names under which an entry may be indexed. */
const namesOf = (entry: StoredEntry): readonly string[] => [...headerKeys, ...entry.storedAttributes];
