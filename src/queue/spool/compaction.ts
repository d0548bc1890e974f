import { mkdir, open as openFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../base/index.ts';

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

/**
 * Gives back the disk, and with it the mapping, that a drained backlog left behind: LMDB keeps free pages for ever. Done at the start,
 * while nobody has the store open. The copy takes the place of the store by one rename: a crash leaves either. Returns the octets
 * given back; throws what the system says, and then the store is as it was.
 */
export async function compact(folder: string, open: () => CopiedStore): Promise<number> {
  const data = join(folder, 'data.mdb');
  const draft = join(folder, 'compact');
  await rm(draft, { recursive: true, force: true });
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
  const file = await openFile(copy, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
  const after = await sizeOf(copy);
  await rename(copy, data);
  await syncFolder(folder);
  await rm(draft, { recursive: true, force: true });
  return before - after;
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
