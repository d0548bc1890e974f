import { mkdir, mkdtemp, open as openFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../base/index.ts';
import type { AnotherFile, Databases } from './databases.ts';
import type { GroupCommit } from './group-commit.ts';
import { StoreRoom } from './store-room.ts';

/** A store that can be copied without its free pages. */
export interface CopiedStore {
  /** Octets of the pages that hold something. */
  inUse(): number;
  copy(folder: string): Promise<void>;
  close(): Promise<void>;
}

/** Below this size, in octets, nothing is worth the work. */
const worthwhileBytes = 16 * 1024 ** 2;
/** A store that holds less than this share of its file is copied. */
const sparseShare = 1 / 4;
/** While mail is taken, no more than this is copied, in octets: what comes waits for it. */
const mostWhileOpen = 16 * 1024 ** 2;
/** Beginning of the names of the folders in which copies are made. */
const draftPrefix = 'compact';

/**
 * Gives back the disk, and with it the mapping, that a drained backlog left behind: LMDB keeps free pages for ever. Done at the start,
 * while nobody has the store open. The copy takes the place of the store by one rename: a crash leaves either. Returns the octets
 * given back; throws what the system says, and then the store is as it was.
 */
export async function compact(folder: string, open: () => CopiedStore): Promise<number> {
  const data = join(folder, 'data.mdb');
  await removeDrafts(folder);
  const draft = join(folder, draftPrefix);
  const before = await sizeOf(data);
  if (before < worthwhileBytes) return 0;
  const store = open();
  try {
    if (store.inUse() > before * sparseShare) return 0;
    await mkdir(draft, { mode: 0o700 });
    await store.copy(draft);
  } finally {
    await store.close();
  }
  const copy = join(draft, 'data.mdb');
  await settle(copy);
  const after = await sizeOf(copy);
  await rename(copy, data);
  await syncFolder(folder);
  await rm(draft, { recursive: true, force: true });
  return before - after;
}

/**
 * The same for a store that is in use, between two transactions. Readers have the old file until the new one is open. The folder of
 * the copy stays, with the locks of the store, until the next time.
 */
export async function compactWhileOpen(folder: string, databases: Databases, commits: GroupCommit): Promise<void> {
  const data = join(folder, 'data.mdb');
  const inUse = databases.extent.inUse();
  const before = await sizeOf(data);
  if (before < worthwhileBytes || inUse > before * sparseShare || inUse > mostWhileOpen) return;
  const draft = await mkdtemp(join(folder, `${draftPrefix}-`));
  let old: Closable | undefined;
  let folderFault: Error | undefined;
  try {
    const { room } = await commits.exchange(async () => {
      const next = await copyOpened(draft, databases);
      try {
        await rename(join(draft, 'data.mdb'), data);
      } catch (error) {
        await next.close();
        throw error;
      }
      // From here on there is no way back: the old file has no name any more.
      folderFault = await syncFolder(folder).then(
        () => undefined,
        (error: Error) => error,
      );
      old = databases.adopt(next);
      return { root: databases.root, room: next.room };
    });
    await room[Symbol.asyncDispose]();
    await old?.close();
    await removeDrafts(folder, draft);
  } catch (error) {
    if (old === undefined) await rm(draft, { recursive: true, force: true });
    throw error;
  }
  if (folderFault !== undefined) throw folderFault;
}

type Closable = Pick<AnotherFile, 'close'>;
type OpenCopy = AnotherFile & { readonly room: StoreRoom };

/** A copy in the folder, on the disk and open. Throws what went wrong, and leaves nothing open. */
async function copyOpened(folder: string, databases: Databases): Promise<OpenCopy> {
  await databases.copy(folder);
  const path = join(folder, 'data.mdb');
  await settle(path);
  const copy = databases.another(folder);
  try {
    const room = await StoreRoom.open(path, copy.extent);
    return { ...copy, room };
  } catch (error) {
    await copy.close();
    throw error;
  }
}

/** Private to the account, and on the disk. */
async function settle(path: string): Promise<void> {
  const file = await openFile(path, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What copies left behind: a crash, or the one before. */
async function removeDrafts(folder: string, but = ''): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(draftPrefix) && join(folder, name) !== but);
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // The store is made now.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
