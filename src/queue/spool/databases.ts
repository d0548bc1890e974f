/** The LMDB file of a shard, and the trees in it. */
import { type Database, open, type RootDatabase } from 'lmdb';
import type { StoreExtent } from './store-room.ts';

/** The trees of one file. */
interface Trees {
  readonly root: RootDatabase<Buffer, number>;
  readonly contents: Database<Buffer, number>;
  readonly records: Database<Buffer, number>;
  /** Only messages that somebody has tried to deliver. */
  readonly states: Database<Buffer, number>;
  readonly meta: Database<number, string>;
}

const pageBytes = 4_096;

/** What lmdb counts of one tree. */
interface TreePages {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

function extentOf({ root, contents, records, states, meta }: Trees): StoreExtent {
  const pages = ({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreePages): number =>
    treeBranchPageCount + treeLeafPageCount + overflowPages;
  // Asked once for each commit, where the public way would count all trees as well.
  const { env } = root as unknown as { readonly env: { info(): { readonly lastPageNumber: number } } };
  return {
    end: () => (env.info().lastPageNumber + 1) * pageBytes,
    inUse: () => {
      const whole = root.getStats() as { readonly root: TreePages; readonly free: TreePages };
      const trees = [contents, records, states, meta].map((database) => database.getStats() as TreePages);
      return (pagesOfMeta + [whole.root, whole.free, ...trees].reduce((sum, tree) => sum + pages(tree), 0)) * pageBytes;
    },
  };
}

/** LMDB begins its file with two of them. */
const pagesOfMeta = 2;

/** A file beside the one in use. */
export interface AnotherFile {
  readonly trees: Trees;
  readonly extent: StoreExtent;
  close(): Promise<void>;
}

/**
 * The trees that the spool works on now. A compaction exchanges the file under them: who waited for anything asks for the tree
 * again, and a change asks for it when it is made.
 */
export class Databases {
  readonly #mapSize: number;
  #trees: Trees;

  constructor(folder: string, mapSize: number) {
    this.#mapSize = mapSize;
    this.#trees = openTrees(folder, mapSize);
  }

  get root(): Trees['root'] {
    return this.#trees.root;
  }

  get contents(): Trees['contents'] {
    return this.#trees.contents;
  }

  get records(): Trees['records'] {
    return this.#trees.records;
  }

  get states(): Trees['states'] {
    return this.#trees.states;
  }

  get meta(): Trees['meta'] {
    return this.#trees.meta;
  }

  get extent(): StoreExtent {
    return extentOf(this.#trees);
  }

  /** A copy without free pages, in `folder`. */
  async copy(folder: string): Promise<void> {
    await this.#trees.root.backup(folder, true);
  }

  /** Opens the file of another folder. Throws what lmdb says. */
  another(folder: string): AnotherFile {
    const trees = openTrees(folder, this.#mapSize);
    return { trees, extent: extentOf(trees), close: () => trees.root.close() };
  }

  /** Goes over to another file. Returns the one before, which nobody asks any more: the caller closes it. */
  adopt({ trees }: AnotherFile): Pick<AnotherFile, 'close'> {
    const { root } = this.#trees;
    this.#trees = trees;
    return { close: () => root.close() };
  }

  async close(): Promise<void> {
    await this.#trees.root.close();
  }
}

function openTrees(path: string, mapSize: number): Trees {
  const root = open<Buffer, number>(path, {
    encoding: 'binary',
    maxDbs: 8,
    mapSize,
    pageSize: pageBytes,
    // A commit that fails must leave the store usable: with overlapping syncs it cannot even be closed afterwards.
    overlappingSync: false,
    // See GroupCommit.
    eventTurnBatching: false,
  });
  return {
    root,
    contents: root.openDB<Buffer, number>('contents', { encoding: 'binary' }),
    records: root.openDB<Buffer, number>('records', { encoding: 'binary' }),
    states: root.openDB<Buffer, number>('states', { encoding: 'binary' }),
    meta: root.openDB<number, string>('meta', { encoding: 'json' }),
  };
}

/** A copy of its own: lmdb's fast buffer is overwritten by the next read, or is the map itself. */
export function read(database: Database<Buffer, number>, id: number): Buffer | undefined {
  const fast = database.getBinaryFast(id);
  if (fast === undefined) return undefined;
  const copy = Buffer.allocUnsafeSlow(fast.length);
  copy.set(fast.length === fast.byteLength ? fast : fast.subarray(0, fast.length));
  return copy;
}
