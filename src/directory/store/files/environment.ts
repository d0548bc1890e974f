/** The LMDB environment of a directory: opening, recognising damage, and the databases in it. */
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { StoreError } from '../entries/store-error.ts';
import { faultOfFile } from './file-check.ts';

/** Layout of the databases; another number is another layout, and needs a step in upgrade.ts. */
export const layout = 1;

/** Most address space the store may take, in bytes: a bound, not a reservation. */
const mapBytes = 64 * 1024 ** 3;

/** What the store knows about itself, in `meta`. */
export interface Meta {
  readonly layout: number;
  /** Last change. */
  readonly usn: number;
  /** Next number of an entry. */
  readonly nextId: number;
  /** Names of the top entries. */
  readonly contexts: readonly string[];
  /** Indexes that are complete, as `eq mail`. */
  readonly indexes: readonly string[];
  /** LDIF texts that extend the schema at run time. */
  readonly schemaExtensions: readonly string[];
}

export interface Environment {
  readonly root: RootDatabase;
  readonly meta: Database<Meta[keyof Meta], string>;
  /** Key of a name to the number of its entry, 4 octets. */
  readonly names: Database<Buffer, Buffer>;
  /** Number to entry. */
  readonly entries: Database<Buffer, number>;
  /** Index key to numbers, 4 octets each, in order. */
  readonly index: Database<Buffer, Buffer>;
  /** Sequence number, 8 octets, to a line of the change log. */
  readonly changes: Database<Buffer, Buffer>;
  /** Sequence number of the deletion, 8 octets, to a tombstone. */
  readonly tombstones: Database<Buffer, Buffer>;
}

const advice = "restore a backup with 'edge directory restore', or move the folder away and import an export";

/** How to open a store. `everyPage`: look at all pages first; not while another process writes. */
export interface OpenOptions {
  readonly readOnly: boolean;
  readonly everyPage: boolean;
}

/** Opens or makes the store below `path`. Throws StoreError. */
export function openEnvironment(path: string, { readOnly, everyPage }: OpenOptions): Environment {
  const file = join(path, 'data.mdb');
  const exists = existsSync(file) && statSync(file).size > 0;
  if (readOnly && !exists)
    throw new StoreError('missing', `there is no directory store in ${path}: start the directory process first`);
  const fault = exists ? faultOfFile(file, { readOnly, everyPage }) : undefined;
  if (fault !== undefined)
    throw new StoreError('damaged', `the directory store ${file} is damaged (${fault}): ${advice}`);
  if (!exists) mkdirSync(path, { recursive: true, mode: 0o700 });
  const root = openRoot(path, readOnly);
  try {
    const environment = openDatabases(root);
    if (!exists) {
      initialize(environment);
      // Password hashes stand in it.
      chmodSync(file, 0o600);
    }
    checkContents(environment, path);
    return environment;
  } catch (cause) {
    void root.close();
    if (cause instanceof StoreError) throw cause;
    throw new StoreError('damaged', `the directory store in ${path} cannot be read (${messageOf(cause)}): ${advice}`, {
      cause,
    });
  }
}

/** A store that an older program wrote: `upgradeStore` brings it to this one's layout. */
export class OlderLayoutError extends StoreError {
  constructor(path: string, found: number) {
    super(
      'format',
      `the directory store in ${path} has layout ${found}, this program knows ${layout}: 'edge start' upgrades it, and keeps a copy`,
    );
  }
}

/** Opens a store of whatever layout for an upgrade; its pages must have been looked at before. */
export function openOlder(path: string): Environment {
  return openDatabases(openRoot(path, false));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function openRoot(path: string, readOnly: boolean): RootDatabase {
  try {
    // Without overlapping sync a commit is on disk before its promise resolves, and before any other process sees it.
    return open({
      path,
      readOnly,
      mapSize: mapBytes,
      maxDbs: 12,
      maxReaders: 126,
      overlappingSync: false,
      // What lmdb queues at the end of each turn has a promise of its own, which nobody could handle when the disk is full.
      eventTurnBatching: false,
      noSubdir: false,
    });
  } catch (cause) {
    throw new StoreError(
      'damaged',
      `the directory store in ${path} cannot be opened (${messageOf(cause)}): ${advice}`,
      { cause },
    );
  }
}

function openDatabases(root: RootDatabase): Environment {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  return {
    root,
    meta: root.openDB<Meta[keyof Meta], string>('meta', { encoding: 'json' }),
    names: root.openDB<Buffer, Buffer>('names', binary),
    entries: root.openDB<Buffer, number>('entries', { encoding: 'binary', keyEncoding: 'uint32' }),
    index: root.openDB<Buffer, Buffer>('index', { ...binary, dupSort: true }),
    changes: root.openDB<Buffer, Buffer>('changes', binary),
    tombstones: root.openDB<Buffer, Buffer>('tombstones', binary),
  };
}

function initialize({ root, meta }: Environment): void {
  const initial: Meta = { layout, usn: 0, nextId: 1, contexts: [], indexes: [], schemaExtensions: [] };
  root.transactionSync(() => {
    for (const [key, value] of Object.entries(initial) as [keyof Meta, Meta[keyof Meta]][]) void meta.put(key, value);
  });
}

/** Reads one field of `meta`. */
export function readMeta<K extends keyof Meta>(environment: Environment, key: K): Meta[K] {
  const value = environment.meta.get(key) as Meta[K] | undefined;
  if (value === undefined)
    throw new StoreError('damaged', `the directory store says nothing about '${key}': ${advice}`);
  return value;
}

function checkContents(environment: Environment, path: string): void {
  const found = environment.meta.get('layout');
  if (found === undefined)
    throw new StoreError('damaged', `the directory store in ${path} was not made completely: ${advice}`);
  if (typeof found === 'number' && found < layout) throw new OlderLayoutError(path, found);
  if (found !== layout) {
    throw new StoreError(
      'format',
      `the directory store in ${path} has layout ${String(found)}, this program knows ${layout} at most: a newer program wrote it; start that one, or restore a backup`,
    );
  }
  const [names, entries] = [count(environment.names), count(environment.entries)];
  if (names !== entries)
    throw new StoreError(
      'damaged',
      `the directory store in ${path} has ${names} names for ${entries} entries: ${advice}`,
    );
}

/** Number of records of a database. */
export function count(database: Database<Buffer, Buffer> | Database<Buffer, number>): number {
  return (database.getStats() as { entryCount: number }).entryCount;
}
