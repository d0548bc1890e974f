import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockPool, type Clock, type FaultReport, unreported } from '../../base/index.ts';
import {
  type NewMessage,
  type RecipientState,
  type Revision,
  type Spool,
  SpoolError,
  type StoredMessage,
} from '../model/contract.ts';
import { compact, compactWhileOpen } from './compaction.ts';
import { ContentFolder } from './content-folder.ts';
import { CrashNoteFile } from './crash-note-file.ts';
import { Databases } from './databases.ts';
import { FreeSpace } from './free-space.ts';
import { GroupCommit } from './group-commit.ts';
import { IdSource } from './id-source.ts';
import { IdleCompaction } from './idle-compaction.ts';
import { LmdbWriter, type WriterStore, type Written } from './lmdb-writer.ts';
import { encodeRecord, encodeStates, untouchedStates } from './record-codec.ts';
import { joinHeads, withHead } from './replaced-head.ts';
import { SpoolReader } from './spool-reader.ts';
import { StoreRoom } from './store-room.ts';

export interface LmdbSpoolOptions {
  /** Folder of this shard; made when absent, mode 0700. */
  readonly path: string;
  readonly clock: Clock;
  readonly faults?: FaultReport;
  /** Number of the shard, 0 to 255: part of every id, so that no two shards of a server give the same one. Default 0. */
  readonly shard?: number;
  /** Messages up to this size, in octets, are kept in the store, larger ones in files. Default 96 KB. */
  readonly thresholdBytes?: number;
  /** Address space that the store begins with, in octets; it grows by itself. Default 16 GB. */
  readonly mapSize?: number;
  /** Less room on the disk than this, in octets: nothing more is accepted. Default 100 MB. */
  readonly minFreeBytes?: number;
}

/** Default of `mapSize`. */
const firstMapSize = 16 * 1024 ** 3;

const writeFault = 'spool';
const compactionFault = 'spool compaction';

/** Shards that a server may have. */
const shards = 256;

interface SpoolTools {
  readonly commits: GroupCommit;
  readonly ids: IdSource;
}

/** The spool of one worker: small messages in LMDB, large ones in files beside it. */
export class LmdbSpool implements Spool {
  readonly crashNotes: CrashNoteFile;
  readonly #reader: SpoolReader;
  readonly #faults: FaultReport;
  readonly #databases: Databases;
  readonly #commits: GroupCommit;
  readonly #path: string;
  readonly #folder: ContentFolder;
  readonly #compaction: IdleCompaction;
  readonly #space: FreeSpace;
  readonly #ids: IdSource;
  readonly #shard: number;
  readonly #writerStore: WriterStore;
  readonly #clock: Clock;
  /** Ids of messages whose content is a file. */
  readonly #large: Set<number>;
  /** Ids whose removal is on its way to the disk. */
  readonly #leaving = new Set<number>();
  #count: number;
  #isFailing = false;
  #closed = false;

  private constructor(options: LmdbSpoolOptions, databases: Databases, { commits, ids }: SpoolTools) {
    const { path, clock, faults = unreported, thresholdBytes = 96 * 1024, minFreeBytes = 100 * 1024 ** 2 } = options;
    this.#databases = databases;
    this.#path = path;
    this.#faults = faults;
    this.#commits = commits;
    this.#count = (databases.records.getStats() as { readonly entryCount: number }).entryCount;
    this.#ids = ids;
    this.#shard = options.shard ?? 0;
    this.#clock = clock;
    this.#space = new FreeSpace(path, minFreeBytes, { clock, faults });
    this.#folder = new ContentFolder(join(path, 'content'));
    this.#large = new Set(this.#folder.list().ids);
    this.#reader = new SpoolReader({ databases, folder: this.#folder, large: this.#large, faults });
    this.crashNotes = new CrashNoteFile(join(path, 'crashes.json'));
    this.#writerStore = {
      thresholdBytes,
      folder: this.#folder,
      commit: (id, guid, message, expiresAt, written) => this.#commit(id, guid, message, expiresAt, written),
      failed: () => this.#space.doubt(),
    };
    this.#compaction = new IdleCompaction(clock, {
      transactions: () => commits.transactions,
      compact: () => this.compact(),
    });
  }

  /** Opens or makes the shard and sweeps away what a crash left half done. Throws SpoolError. */
  static async open(options: LmdbSpoolOptions): Promise<LmdbSpool> {
    try {
      mkdirSync(options.path, { recursive: true, mode: 0o700 });
      await compactAtStart(options);
      const databases = new Databases(options.path, options.mapSize ?? firstMapSize);
      const { records, meta } = databases;
      const room = await StoreRoom.open(join(options.path, 'data.mdb'), databases.extent);
      const commits = new GroupCommit({ root: databases.root, room }, options.clock);
      const [last = 0] = [...records.getKeys({ reverse: true, limit: 1 })];
      const reserve = (limit: number): Promise<void> => commits.add(() => void databases.meta.put('ids', limit));
      const ids = await IdSource.from(Math.max(meta.get('ids') ?? 1, Math.floor(last / shards) + 1), reserve);
      const spool = new LmdbSpool(options, databases, { commits, ids });
      await spool.#sweep();
      return spool;
    } catch (cause) {
      if (cause instanceof SpoolError) throw cause;
      throw new SpoolError(`the message store in ${options.path} cannot be opened`, { cause });
    }
  }

  get accepting(): boolean {
    return !this.#closed && this.#commits.broken === undefined && this.#space.enough;
  }

  get count(): number {
    return this.#count;
  }

  begin(): LmdbWriter {
    if (this.#closed) throw new SpoolError('the message store is closed');
    if (this.#commits.broken !== undefined) throw this.#commits.broken;
    if (!this.#space.enough) throw new SpoolError('there is too little room on the disk');
    return new LmdbWriter(this.#ids.next() * shards + this.#shard, this.#writerStore);
  }

  get damaged(): Map<number, string> {
    return this.#reader.damaged;
  }

  content(id: number): Buffer | undefined {
    return this.#reader.content(id);
  }

  stream(id: number, start = 0, blocks?: BlockPool): AsyncIterable<Buffer> {
    return this.#reader.stream(id, start, blocks);
  }

  get(id: number): StoredMessage | undefined {
    return this.#reader.get(id);
  }

  list(): Iterable<StoredMessage> {
    return this.#reader.list();
  }

  async update(id: number, recipients: readonly RecipientState[]): Promise<void> {
    if (this.#leaving.has(id) || !this.#databases.records.doesExist(id)) return;
    const octets = encodeStates(recipients);
    await this.#write((commits) => commits.addSoon(() => void this.#databases.states.put(id, octets)));
  }

  async revise(id: number, { replaced, ...revision }: Revision): Promise<StoredMessage | undefined> {
    const before = this.get(id);
    if (before === undefined || this.#leaving.has(id)) return undefined;
    const { envelope, facts, recipients } = revision;
    const message: StoredMessage = { ...before, envelope, facts, recipients, categorized: true };
    const small = this.content(id);
    const content = small !== undefined && replaced !== undefined ? withHead(small, replaced) : undefined;
    const earlier = small === undefined ? this.#reader.headOf(id) : undefined;
    const head = small === undefined && replaced !== undefined ? joinHeads(earlier, replaced) : earlier;
    const record = encodeRecord(message, message, head);
    const changed = (): void => {
      const { contents, records, states } = this.#databases;
      if (content !== undefined) void contents.put(id, content);
      void records.put(id, record);
      void states.put(id, encodeStates(recipients));
    };
    await this.#write((commits) => commits.add(changed, record.length + (content?.length ?? 0)));
    return message;
  }

  async remove(id: number): Promise<void> {
    if (this.#leaving.has(id) || !this.#databases.records.doesExist(id)) return;
    this.#leaving.add(id);
    try {
      const gone = (): void => {
        const { contents, records, states } = this.#databases;
        void records.remove(id);
        void contents.remove(id);
        void states.remove(id);
      };
      await this.#write((commits) => commits.addSoon(gone));
      this.#count -= 1;
      if (this.damaged.delete(id)) this.#faults.end(`message ${id}`);
    } finally {
      this.#leaving.delete(id);
    }
    if (!this.#large.delete(id)) return;
    // The record is gone: a file that cannot be deleted now is an orphan, and swept at the next start.
    await this.#folder.remove(id).catch(() => undefined);
  }

  /** Waits for what is on its way to the disk, then closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#compaction[Symbol.dispose]();
    await this.#commits.drain();
    await this.#commits[Symbol.asyncDispose]();
    if (this.#commits.broken === undefined) await this.#databases.close();
  }

  /**
   * Gives back what a drained backlog left on the disk, and in the map, when that is worth it and what is left is little. Messages
   * that come meanwhile wait for the copy. Never rejects; a failure is a fault.
   */
  async compact(): Promise<void> {
    if (this.#closed || this.#commits.broken !== undefined) return;
    try {
      await compactWhileOpen(this.#path, this.#databases, this.#commits);
      this.#faults.end(compactionFault);
    } catch (error) {
      this.#faults.begin(
        compactionFault,
        `the message store in ${this.#path} does not give room back: ${causeOf(error)}`,
      );
    }
  }

  async #commit(
    id: number,
    guid: string,
    message: NewMessage,
    expiresAt: number,
    written: Written,
  ): Promise<StoredMessage> {
    const { content } = written;
    const receivedAt = this.#clock.now();
    const replaced = written.content === undefined ? written.replaced : undefined;
    const record = encodeRecord(message, { guid, receivedAt, expiresAt }, replaced);
    const added = (): void => {
      const { contents, records } = this.#databases;
      if (content !== undefined) void contents.put(id, content);
      void records.put(id, record);
    };
    await this.#write((commits) => commits.add(added, record.length + (content?.length ?? 0)));
    this.#count += 1;
    if (content === undefined) this.#large.add(id);
    const { envelope, origin, facts } = message;
    const recipients = untouchedStates(envelope.recipients.length);
    return { id, guid, receivedAt, expiresAt, envelope, origin, facts, recipients };
  }

  async #write(begin: (commits: GroupCommit) => Promise<void>): Promise<void> {
    if (this.#closed) throw new SpoolError('the message store is closed');
    try {
      await begin(this.#commits);
      if (this.#isFailing) this.#faults.end(writeFault);
      this.#isFailing = false;
    } catch (error) {
      this.#space.doubt();
      this.#isFailing = true;
      this.#faults.begin(writeFault, `the message store cannot be written: ${causeOf(error)}`);
      throw error;
    }
  }

  /** Contents, states and files that no record speaks of; drafts. */
  async #sweep(): Promise<void> {
    const { records, contents, states } = this.#databases;
    const isOrphan = (id: number): boolean => !records.doesExist(id);
    const orphans = [contents, states].map((database) => ({
      database,
      ids: [...database.getKeys()].filter(isOrphan),
    }));
    if (orphans.some(({ ids }) => ids.length > 0)) {
      await this.#commits.add(() => {
        for (const { database, ids } of orphans) for (const id of ids) void database.remove(id);
      });
    }
    const { ids, others } = this.#folder.list();
    const files = ids.filter(isOrphan);
    for (const id of files) this.#large.delete(id);
    for (const name of [...files, ...others]) await this.#folder.remove(name);
  }
}

/** What cannot be given back stays allocated, and is used again. */
async function compactAtStart(options: LmdbSpoolOptions): Promise<void> {
  const { path, faults = unreported } = options;
  try {
    await compact(path, () => {
      const databases = new Databases(path, options.mapSize ?? firstMapSize);
      return {
        inUse: () => databases.extent.inUse(),
        copy: (folder) => databases.copy(folder),
        close: () => databases.close(),
      };
    });
    faults.end(compactionFault);
  } catch (error) {
    faults.begin(compactionFault, `the message store in ${path} does not give room back: ${causeOf(error)}`);
  }
}

/** The words of the system, behind those of the spool. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
