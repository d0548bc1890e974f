/** The store of the embedded directory: entries in LMDB, read by many processes, written through one object. */
import { type Clock, systemClock } from '../../base/index.ts';
import { type AttributeValues, type Dn, LdapError, type Modification, type Schema } from '../../ldap/index.ts';
import {
  type Change,
  type DirectoryWriter,
  type Finding,
  type Operation,
  type WriteOptions,
  type WriteResult,
} from './contract.ts';
import { openEnvironment, readMeta } from './environment.ts';
import { declaredIndexes } from './index-keys.ts';
import { Operations, type Outcome } from './operations.ts';
import { rebuildIndexes } from './rebuild.ts';
import { StoreError } from './store-error.ts';
import { StoreReader } from './store-reader.ts';
import { StoreWriter } from './store-writer.ts';
import { verifyStore } from './verify.ts';

export interface StoreOptions {
  /** Folder of the store; made (mode 0700) when it is not there. */
  readonly path: string;
  /** Schema without what was added at run time; that is kept in the store. */
  readonly schema: Schema;
  /** Several processes may read while one writes. Default: false. */
  readonly readOnly?: boolean;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** How long tombstones are kept, in milliseconds. Default: 180 days, as in Active Directory. */
  readonly tombstoneLifetimeMs?: number;
}

const defaultTombstoneLifetimeMs = 180 * 86_400_000;

export class DirectoryStore extends StoreReader implements DirectoryWriter, AsyncDisposable {
  readonly #readOnly: boolean;
  readonly #writer: StoreWriter;
  readonly #operations: Operations;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();

  private constructor({ path, schema, readOnly = false, clock = systemClock, tombstoneLifetimeMs }: StoreOptions) {
    super(openEnvironment(path, readOnly), schema);
    this.#readOnly = readOnly;
    this.#writer = new StoreWriter(this, tombstoneLifetimeMs ?? defaultTombstoneLifetimeMs);
    this.#operations = new Operations(this, this.#writer, clock);
  }

  /** Opens the store; makes indexes that the schema asks for and are not there yet. Throws StoreError that says what to do. */
  static async open(options: StoreOptions): Promise<DirectoryStore> {
    const store = new DirectoryStore(options);
    if (options.readOnly !== true) {
      await store.#adaptIndexes();
      await store.#transaction(() => store.#writer.sweepTombstones((options.clock ?? systemClock).now(), 100_000));
    }
    return store;
  }

  add(dn: string | Dn, attributes: readonly AttributeValues[], options: WriteOptions): Promise<WriteResult> {
    return this.#one({ kind: 'add', dn, attributes }, options);
  }

  modify(dn: string | Dn, modifications: readonly Modification[], options: WriteOptions): Promise<WriteResult> {
    return this.#one({ kind: 'modify', dn, modifications }, options);
  }

  delete(dn: string | Dn, options: WriteOptions & { readonly subtree?: boolean }): Promise<WriteResult> {
    return this.#one({ kind: 'delete', dn, subtree: options.subtree === true }, options);
  }

  modifyDn(
    dn: string | Dn,
    target: { readonly newRdn: string; readonly deleteOldRdn: boolean; readonly newSuperior?: string | Dn },
    options: WriteOptions,
  ): Promise<WriteResult> {
    return this.#one({ kind: 'modifyDn', dn, ...target }, options);
  }

  async batch(operations: Iterable<Operation>, options: WriteOptions): Promise<readonly WriteResult[]> {
    const outcomes = await this.#transaction(() =>
      Array.from(operations, (operation) => this.#operations.run(operation, options)),
    );
    this.#announce(outcomes);
    return outcomes.map(({ result }) => result);
  }

  /** Runs the operations and takes everything back: throws what `batch` would throw. */
  async rehearse(operations: Iterable<Operation>, options: WriteOptions): Promise<readonly WriteResult[]> {
    const taken: WriteResult[] = [];
    const stop = new Rehearsed();
    try {
      await this.#transaction(() => {
        for (const operation of operations) taken.push(this.#operations.run(operation, options).result);
        throw stop;
      });
    } catch (error) {
      if (error !== stop) throw error;
    }
    return taken;
  }

  onChange(listener: (changes: readonly Change[]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Adds descriptions to the schema, for good; indexes they ask for are made. Throws RangeError for LDIF that is no schema. */
  async extendSchema(ldif: string): Promise<void> {
    this.schema.extended(ldif);
    await this.#transaction(() => {
      this.#writer.put('schemaExtensions', [...readMeta(this.environment, 'schemaExtensions'), ldif]);
      this.#writer.nextUsn();
    });
    this.environment.root.resetReadTxn();
    this.refresh();
    await this.#adaptIndexes();
  }

  /** Compares names, indexes and tree with the entries; nothing found means all agree. */
  verify(): Finding[] {
    return [...verifyStore(this)];
  }

  /** Makes all indexes anew from the entries. */
  async rebuild(): Promise<void> {
    await this.#transaction(() => rebuildIndexes(this, this.#writer));
    this.index.complete = new Set(readMeta(this.environment, 'indexes'));
  }

  /** Writes a copy that can be opened as a store; reading and writing go on meanwhile. */
  async backup(folder: string): Promise<void> {
    await this.environment.root.backup(folder, true);
  }

  async close(): Promise<void> {
    await this.environment.root.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #one(operation: Operation, options: WriteOptions): Promise<WriteResult> {
    const outcome = await this.#transaction(() => this.#operations.run(operation, options));
    this.#announce([outcome]);
    return outcome.result;
  }

  /**
   * Runs the work in a transaction of its own within one that all work of the moment shares: one sync to disk for all, and
   * work that throws leaves nothing behind.
   */
  async #transaction<T>(work: () => T): Promise<T> {
    if (this.#readOnly) throw new LdapError('unwillingToPerform', 'this process only reads the directory');
    const { root } = this.environment;
    let failed = false;
    try {
      return await root.transaction(() => {
        try {
          return root.transactionSync(() => this.#writer.counting(work));
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    } catch (cause) {
      if (failed) throw cause;
      throw new StoreError(
        'io',
        `the directory store could not be written: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  #announce(outcomes: readonly Outcome[]): void {
    if (this.#listeners.size === 0) return;
    const changes = outcomes.flatMap((outcome) => outcome.changes);
    // In a task of its own: a listener that throws is a bug, but not one of the operation, which is done.
    for (const listener of this.#listeners) queueMicrotask(() => listener(changes));
  }

  async #adaptIndexes(): Promise<void> {
    const declared = declaredIndexes(this.schema);
    const complete = readMeta(this.environment, 'indexes');
    if (declared.length !== complete.length || declared.some((name, i) => name !== complete[i])) await this.rebuild();
  }
}

/** Ends a rehearsal. */
class Rehearsed extends Error {}
