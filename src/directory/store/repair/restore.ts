/** Brings a store to the content of another one, a backup as a rule, within a transaction: only what differs is written. */
import { isBelow } from '../../../ldap/index.ts';
import type { Change } from '../entries/contract.ts';
import { encodeEntry, entryBody } from '../entries/entry-data.ts';
import { StoredEntry } from '../entries/stored-entry.ts';
import { tombstoneOf } from '../entries/tombstone.ts';
import { readMeta } from '../files/environment.ts';
import { idOf } from '../indexes/lmdb-index.ts';
import type { StoreReader } from '../records/store-reader.ts';
import type { StoreWriter } from '../records/store-writer.ts';

/** How many entries a restore wrote, and how many were as they had to be. */
export interface Restored {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly same: number;
}

/** Who restores, and when, in milliseconds since 1970. */
export interface RestoreCircumstances {
  readonly actor: string;
  readonly time: number;
}

interface Plan {
  readonly added: readonly StoredEntry[];
  readonly changed: readonly { readonly before: StoredEntry; readonly after: StoredEntry }[];
  /** Deepest last, as they stand in the order of names. */
  readonly removed: readonly StoredEntry[];
  readonly same: number;
}

export function restoreContent(
  store: StoreReader,
  writer: StoreWriter,
  from: StoreReader,
  circumstances: RestoreCircumstances,
): Restored {
  const plan = planRestore(store, from);
  const restoration = new Restoration(store, writer, circumstances);
  // Followers that had read on to a later change than the store knows now must notice: numbers never come twice.
  writer.raiseUsn(readMeta(from.environment, 'usn'));
  for (const entry of plan.removed.toReversed()) restoration.remove(entry);
  const moved = plan.changed.filter(({ before, after }) => !before.encoded.key.equals(after.encoded.key));
  // All old names go first: two entries may have taken each other's.
  for (const { before } of moved) writer.remove(before);
  for (const { before, after } of plan.changed)
    restoration.change(
      before,
      after,
      moved.some((each) => each.before === before),
    );
  for (const entry of plan.added) restoration.add(entry);
  writer.put('contexts', readMeta(from.environment, 'contexts'));
  const { added, changed, removed, same } = plan;
  return { added: added.length, changed: changed.length, removed: removed.length, same };
}

/** Entries are the same when they have the same GUID. */
function planRestore(store: StoreReader, from: StoreReader): Plan {
  const added: StoredEntry[] = [];
  const changed: { before: StoredEntry; after: StoredEntry }[] = [];
  const kept = new Set<string>();
  for (const after of entriesOf(from, store)) {
    const before = store.byGuid(after.guid) as StoredEntry | undefined;
    if (before === undefined) added.push(after);
    else {
      kept.add(after.guid);
      if (!entryBody(before.encoded.octets).equals(entryBody(after.encoded.octets))) changed.push({ before, after });
    }
  }
  const removed = [...entriesOf(store, store)].filter(({ guid }) => !kept.has(guid));
  return { added, changed, removed, same: kept.size - changed.length };
}

/** All entries of a store in the order of their names, as entries of another one. */
function* entriesOf(store: StoreReader, context: StoreReader): Generator<StoredEntry, void, undefined> {
  for (const { value } of store.environment.names.getRange()) {
    const octets = store.environment.entries.getBinary(idOf(value));
    if (octets !== undefined) yield new StoredEntry(octets, context);
  }
}

class Restoration {
  readonly #store: StoreReader;
  readonly #writer: StoreWriter;
  readonly #circumstances: RestoreCircumstances;
  readonly #buried: ReadonlyMap<string, number>;

  constructor(store: StoreReader, writer: StoreWriter, circumstances: RestoreCircumstances) {
    this.#store = store;
    this.#writer = writer;
    this.#circumstances = circumstances;
    this.#buried = new Map([...store.tombstones()].map((tombstone) => [tombstone.guid, tombstone.usn]));
  }

  add(entry: StoredEntry): void {
    const buried = this.#buried.get(entry.guid);
    if (buried !== undefined) this.#writer.exhume(buried);
    const after = this.#stamped(entry);
    this.#writer.insert(after);
    this.#log({ kind: 'add', entry: after, attributes: after.storedAttributes });
  }

  change(before: StoredEntry, entry: StoredEntry, moved: boolean): void {
    const after = this.#stamped(entry);
    if (moved) this.#writer.insert(after);
    else this.#writer.update(before, after);
    const attributes = [...new Set([...before.storedAttributes, ...after.storedAttributes])];
    this.#log({ kind: moved ? 'modifyDn' : 'modify', entry: after, attributes, ...(moved && { oldDn: before.dn }) });
  }

  remove(entry: StoredEntry): void {
    const { actor, time } = this.#circumstances;
    const usn = this.#writer.nextUsn();
    const context = this.#store.namingContexts.find((name) => isBelow(entry.encoded.key, this.#store.keyOf(name)));
    this.#writer.remove(entry);
    this.#writer.bury(tombstoneOf(entry, { usn, time, actor, context: context ?? entry.dn }, this.#store.schema));
    this.#writer.log({ usn, kind: 'delete', guid: entry.guid, dn: entry.dn, attributes: [], actor, time });
  }

  /** The entry with a new sequence number, so that followers see it. */
  #stamped(entry: StoredEntry): StoredEntry {
    const usnChanged = this.#writer.nextUsn();
    const data = { ...entry.encoded.toData(), usnChanged, changed: this.#circumstances.time };
    return new StoredEntry(encodeEntry(data), this.#store);
  }

  #log(change: Pick<Change, 'kind' | 'attributes' | 'oldDn'> & { readonly entry: StoredEntry }): void {
    const { entry, ...rest } = change;
    this.#writer.log({ ...rest, usn: entry.usn, guid: entry.guid, dn: entry.dn, ...this.#circumstances });
  }
}
