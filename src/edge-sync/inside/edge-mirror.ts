/** The part of one edge in the mirror: what stands there, what is still to be written to it, and the states that can be undone. */
import type { Database, RootDatabase } from 'lmdb';
import type { EdgeState } from '../recipient.ts';
import type { RecipientChange } from '../recipient-plan.ts';

/** What the inside believes of an object on the edge. */
export interface EdgeRecord extends EdgeState {
  /** A write was begun and not confirmed. */
  readonly unsure?: true;
}

/** How far edges, undo and readings have come; small values. */
export type MetaValue = string | number | boolean;

export class EdgeMirror {
  readonly name: string;
  readonly #root: RootDatabase;
  readonly #meta: Database<MetaValue, string>;
  readonly #records: Database<EdgeRecord, string>;
  readonly #dirty: Database<number, string>;
  /** State before each run that changed something, by number of the run and id. */
  readonly #undo: Database<EdgeRecord | null, [number, string]>;

  constructor(name: string, root: RootDatabase, meta: Database<MetaValue, string>) {
    this.name = name;
    this.#root = root;
    this.#meta = meta;
    this.#records = root.openDB<EdgeRecord, string>(`edge ${name}`, { encoding: 'msgpack' });
    this.#dirty = root.openDB<number, string>(`dirty ${name}`, { encoding: 'msgpack' });
    this.#undo = root.openDB<EdgeRecord | null, [number, string]>(`undo ${name}`, { encoding: 'msgpack' });
  }

  record(id: string): EdgeRecord | undefined {
    return this.#records.get(id);
  }

  *records(): Generator<readonly [string, EdgeRecord]> {
    for (const { key, value } of this.#records.getRange({ snapshot: false })) yield [key, value];
  }

  /** Addresses that the edge accepts, as far as is known. */
  get addressCount(): number {
    return Number(this.#meta.get(this.#countKey) ?? 0);
  }

  get recipientCount(): number {
    return (this.#records.getStats() as { entryCount: number }).entryCount;
  }

  get dirtyCount(): number {
    return (this.#dirty.getStats() as { entryCount: number }).entryCount;
  }

  /** Ids to look at, in order; what is confirmed meanwhile is not named again. */
  *dirtyIds(): Generator<string> {
    yield* this.#dirty.getKeys({ snapshot: false });
  }

  /** Within a transaction. */
  touch(id: string): void {
    void this.#dirty.put(id, 1);
  }

  async touchAll(ids: Iterable<string>): Promise<void> {
    await this.#root.transaction(() => {
      for (const id of ids) this.touch(id);
    });
  }

  /** Before a batch is sent: whatever becomes of it, nobody may believe to know. Keeps the states before for undo. */
  async begin(run: number, changes: readonly RecipientChange[]): Promise<void> {
    await this.#counting((count) => {
      for (const { id, before, after } of changes) {
        if (this.#undo.get([run, id]) === undefined) void this.#undo.put([run, id], before ?? null);
        const both = [...new Set([...(before?.addresses ?? []), ...(after?.addresses ?? [])])].sort();
        this.#putRecord(count, id, { addresses: both, extras: after?.extras ?? before?.extras ?? {}, unsure: true });
        this.touch(id);
      }
    });
  }

  /** After a batch was written. With `keep` the ids stay to be looked at: not all that was wanted was written. */
  async confirm(changes: readonly (RecipientChange & { readonly keep: boolean })[]): Promise<void> {
    await this.#counting((count) => {
      for (const { id, after, keep } of changes) {
        this.#putRecord(count, id, after);
        if (!keep) void this.#dirty.remove(id);
      }
    });
  }

  /** There is nothing to write for these. */
  async clean(ids: readonly string[]): Promise<void> {
    await this.#root.transaction(() => {
      for (const id of ids) void this.#dirty.remove(id);
    });
  }

  /** What a comparison found on the edge: it is not what was believed. */
  async found(records: readonly (readonly [string, EdgeRecord | undefined])[]): Promise<void> {
    await this.#counting((count) => {
      for (const [id, record] of records) {
        this.#putRecord(count, id, record);
        this.touch(id);
      }
    });
  }

  /** A transaction that keeps the count of addresses, written once at its end. */
  async #counting(work: (count: { addresses: number }) => void): Promise<void> {
    await this.#root.transaction(() => {
      const count = { addresses: this.addressCount };
      work(count);
      void this.#meta.put(this.#countKey, count.addresses);
    });
  }

  #putRecord(count: { addresses: number }, id: string, record: EdgeRecord | undefined): void {
    count.addresses += (record?.addresses.length ?? 0) - (this.#records.get(id)?.addresses.length ?? 0);
    if (record === undefined) void this.#records.remove(id);
    else {
      const { addresses, extras, unsure } = record;
      void this.#records.put(id, unsure === true ? { addresses, extras, unsure } : { addresses, extras });
    }
  }

  /** Runs that can be undone, newest first. */
  get runs(): number[] {
    const runs = new Set<number>();
    let end: [number, string] | undefined;
    for (;;) {
      const [last] = [...this.#undo.getKeys({ reverse: true, limit: 1, ...(end && { start: end }) })];
      if (last === undefined) return [...runs];
      runs.add(last[0]);
      end = [last[0], ''];
    }
  }

  /** States before a run. */
  *before(run: number): Generator<readonly [string, EdgeRecord | undefined]> {
    for (const { key, value } of this.#undo.getRange({ start: [run, ''], end: [run + 1, ''], snapshot: false })) {
      yield [key[1], value ?? undefined];
    }
  }

  /** Forgets all but the last runs. */
  async keepRuns(most: number): Promise<void> {
    const oldest = this.runs[most - 1];
    if (oldest === undefined) return;
    const keys = [...this.#undo.getKeys({ start: [0, ''], end: [oldest, ''] })];
    await this.#root.transaction(() => {
      for (const key of keys) void this.#undo.remove(key);
    });
  }

  /** Within a transaction. */
  clear(): void {
    this.#records.clearSync();
    this.#dirty.clearSync();
    this.#undo.clearSync();
    void this.#meta.remove(this.#countKey);
  }

  get #countKey(): string {
    return `addresses ${this.name}`;
  }
}
