/** The store of the embedded directory: entries in LMDB, read by many processes, written in one transaction at a time. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, commitReason, systemClock } from '../../base/index.ts';
import { type AttributeValues, type Dn, LdapError, type Modification, type Schema } from '../../ldap/index.ts';
import type {
  Change,
  ChangeListener,
  DirectoryWriter,
  Finding,
  Operation,
  SchemaExtension,
  WriteOptions,
  WriteResult,
} from './entries/contract.ts';
import { StoreError } from './entries/store-error.ts';
import { OlderLayoutError, openEnvironment, readMeta } from './files/environment.ts';
import { upgradeStore } from './files/upgrade.ts';
import { declaredIndexes } from './indexes/index-keys.ts';
import { Operations } from './operations.ts';
import { StoreReader } from './records/store-reader.ts';
import { StoreWriter } from './records/store-writer.ts';
import { rebuildIndexes } from './repair/rebuild.ts';
import { type Restored, restoreContent } from './repair/restore.ts';
import { verifyStore } from './repair/verify.ts';
import { SharedCommit } from './shared-commit.ts';

export interface StoreOptions {
  /** Folder of the store; made (mode 0700) when it is not there. */
  readonly path: string;
  /** Schema without what was added at run time; that is kept in the store. */
  readonly schema: Schema;
  /** Several processes may read while one writes. Default: false. */
  readonly readOnly?: boolean;
  /**
   * Another process has the store open for writing, as a command does that works beside the running service: indexes are left
   * as they are. LMDB lets one transaction write at a time, whoever begins it. Default: false.
   */
  readonly alongside?: boolean;
  /**
   * Looks at every page of the file first, so that a damaged one is told instead of ending the process. Not while another
   * process writes: what it is about to write looks like damage. Default: for the one process that writes.
   */
  readonly checked?: boolean;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** How long tombstones are kept, in milliseconds. Default: 180 days, as in Active Directory. */
  readonly tombstoneLifetimeMs?: number;
}

/** More changes than may have happened between a backup and its return. */
const lostNumbers = 100_000_000;

const defaultTombstoneLifetimeMs = 180 * 86_400_000;

export class DirectoryStore extends StoreReader implements DirectoryWriter, AsyncDisposable {
  readonly #readOnly: boolean;
  readonly #writer: StoreWriter;
  readonly #operations: Operations;
  readonly #clock: Clock;
  /** For operations of one entry. */
  readonly #shared = new SharedCommit({
    transaction: (work) => this.#transaction(work, true),
    attempt: (work) => this.#writer.attempt(work),
    committed: (changes) => this.#announce(changes),
  });
  readonly #listeners = new Set<ChangeListener>();
  /** Last change that the listeners know of. */
  #announced: number;
  #closed = false;

  private constructor(options: StoreOptions) {
    const { path, schema, readOnly = false, clock = systemClock, tombstoneLifetimeMs } = options;
    const everyPage = options.checked ?? (!readOnly && options.alongside !== true);
    super(openEnvironment(path, { readOnly, everyPage }), schema);
    this.#readOnly = readOnly;
    this.#writer = new StoreWriter(this, tombstoneLifetimeMs ?? defaultTombstoneLifetimeMs);
    this.#operations = new Operations(this, this.#writer, clock);
    this.#clock = clock;
    this.#announced = readMeta(this.environment, 'usn');
  }

  /** Opens the store; upgrades one of an older program; makes indexes that the schema asks for and are not there yet. Throws StoreError that says what to do. */
  static async open(options: StoreOptions): Promise<DirectoryStore> {
    const store = await DirectoryStore.#opened(options);
    if (options.readOnly === true) return store;
    if (options.alongside === true) {
      if (!store.#indexesFit())
        throw new StoreError('format', 'the service runs with another schema than this program: restart it first');
      return store;
    }
    if (!store.#indexesFit()) await store.rebuild();
    await store.#transaction(() => store.#writer.sweepTombstones(store.#clock.now(), 100_000));
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
    this.#announce(outcomes.flatMap(({ changes }) => changes));
    return outcomes.map(({ result }) => result);
  }

  /**
   * As `batch`, for any number of operations and extensions of the schema among them: keeps no results. With `rehearse`
   * everything is taken back at the end, and what would have been refused is. Returns how many were done.
   */
  async load(
    operations: Iterable<Operation | SchemaExtension>,
    options: WriteOptions & { readonly rehearse?: boolean },
  ): Promise<number> {
    let done = 0;
    await this.#whole(options.rehearse === true, () => {
      for (const operation of operations) {
        if (operation.kind === 'extendSchema') this.#extend(operation.ldif);
        else this.#operations.run(operation, options);
        done += 1;
      }
    });
    return done;
  }

  /**
   * Makes the content that of another store, GUIDs included, in one transaction: what differs is added, changed, deleted,
   * and stands in the change log, so that those who follow the changes need not start anew. With `rehearse` nothing is kept.
   */
  async restore(
    from: StoreReader,
    options: { readonly actor: string; readonly rehearse?: boolean },
  ): Promise<Restored> {
    let restored: Restored = { added: 0, changed: 0, removed: 0, same: 0 };
    await this.#whole(options.rehearse === true, () => {
      const extensions = readMeta(from.environment, 'schemaExtensions');
      this.#writer.put('schemaExtensions', extensions);
      this.refresh();
      restored = restoreContent(this, this.#writer, from, { actor: options.actor, time: this.#clock.now() });
    });
    return restored;
  }

  /**
   * For a store whose last changes are lost: drops the change log and goes on far behind the numbers that were ever given out,
   * so that no follower believes it knows what comes.
   */
  async forgetChanges(): Promise<void> {
    await this.#transaction(() => {
      this.environment.changes.clearSync();
      this.#writer.raiseUsn(readMeta(this.environment, 'usn') + lostNumbers);
    });
  }

  onChange(listener: ChangeListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Adds descriptions to the schema, for good; indexes they ask for are made. Throws RangeError for LDIF that is no schema. */
  async extendSchema(ldif: string): Promise<void> {
    await this.#whole(false, () => this.#extend(ldif));
  }

  /** Tells the listeners what other processes wrote. */
  async announceOthers(): Promise<void> {
    while (!this.#closed) {
      if (this.#listeners.size === 0) {
        this.#announced = this.usn;
        return;
      }
      const { changes, complete } = this.changesSince(this.#announced);
      const last = changes.at(-1);
      if (last === undefined) return;
      this.#announced = last.usn;
      this.#tell(changes, !complete);
      // There may be a hundred thousand of them: others get their turn in between.
      await new Promise((resume) => setImmediate(resume));
    }
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

  /** Writes a copy that can be opened as a store; reading and writing go on meanwhile. Throws StoreError for a folder in use. */
  async backup(folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (readdirSync(folder).length > 0)
      throw new StoreError('io', `${folder} is not empty: a backup gets a folder of its own`);
    await this.environment.root.backup(folder, true);
    chmodSync(join(folder, 'data.mdb'), 0o600);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.environment.root.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Only the one process that writes upgrades. */
  static async #opened(options: StoreOptions): Promise<DirectoryStore> {
    try {
      return new DirectoryStore(options);
    } catch (error) {
      if (!(error instanceof OlderLayoutError) || options.readOnly === true || options.alongside === true) throw error;
      await upgradeStore(options.path);
      return new DirectoryStore(options);
    }
  }

  async #one(operation: Operation, options: WriteOptions): Promise<WriteResult> {
    if (this.#readOnly) throw onlyReads();
    if (throwsBeforeWriting.has(operation.kind))
      return this.#shared.run(() => this.#operations.run(operation, options));
    const outcome = await this.#transaction(() => this.#operations.run(operation, options));
    this.#announce(outcome.changes);
    return outcome.result;
  }

  /** A transaction of much work that may touch the schema: indexes are made anew within it when that asks for others. */
  async #whole(rehearse: boolean, work: () => void): Promise<void> {
    const stop = new Rehearsed();
    try {
      await this.#transaction(() => {
        work();
        if (!this.#indexesFit()) rebuildIndexes(this, this.#writer);
        if (rehearse) throw stop;
      });
    } catch (error) {
      if (error !== stop) throw error;
    } finally {
      // What was aborted must not stay in memory.
      this.environment.root.resetReadTxn();
      this.refresh();
    }
    await this.announceOthers();
  }

  #extend(ldif: string): void {
    this.schema.extended(ldif);
    this.#writer.put('schemaExtensions', [...readMeta(this.environment, 'schemaExtensions'), ldif]);
    this.#writer.nextUsn();
    this.refresh();
  }

  /**
   * Runs the work in a transaction of its own within one that all work of the moment shares: one sync to disk for all, and
   * work that throws leaves nothing behind. `plain` work never throws behind its first write, and needs no transaction of its
   * own, which would copy every page that it touches.
   */
  async #transaction<T>(work: () => T, plain = false): Promise<T> {
    if (this.#readOnly) throw onlyReads();
    if (!plain) this.#shared.seal();
    const { root } = this.environment;
    let failed = false;
    try {
      return await root.transaction(() => {
        try {
          const whole = (): T => {
            // Another process may have extended the schema.
            this.refresh();
            this.#operations.begin();
            return this.#writer.counting(work);
          };
          return plain ? whole() : root.transactionSync(whole);
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    } catch (cause) {
      if (failed) throw cause;
      const reason = await commitReason(cause);
      throw new StoreError(
        'io',
        `the directory store could not be written: ${reason instanceof Error ? reason.message : String(reason)}; is the disk full?`,
        { cause: reason },
      );
    }
  }

  #announce(changes: readonly Change[]): void {
    const [first] = changes;
    const last = changes.at(-1);
    if (first === undefined || last === undefined || last.usn <= this.#announced) return;
    // Another process wrote in between: all are told in their order.
    if (first.usn > this.#announced + 1) return void this.announceOthers();
    this.#announced = last.usn;
    this.#tell(changes);
  }

  #tell(changes: readonly Change[], someLost = false): void {
    // In a task of its own: a listener that throws is a bug, but not one of the operation, which is done.
    for (const listener of this.#listeners) queueMicrotask(() => listener(changes, someLost));
  }

  #indexesFit(): boolean {
    const declared = declaredIndexes(this.schema);
    const complete = readMeta(this.environment, 'indexes');
    return declared.length === complete.length && declared.every((name, i) => name === complete[i]);
  }
}

/** Operations of one entry, which check everything and then write. */
const throwsBeforeWriting: ReadonlySet<Operation['kind']> = new Set(['add', 'modify']);

const onlyReads = (): LdapError => new LdapError('unwillingToPerform', 'this process only reads the directory');

/** Ends a rehearsal. */
class Rehearsed extends Error {}
