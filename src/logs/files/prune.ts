import { lstat, readdir, rm } from 'node:fs/promises';
import { type LogFile, logFilesAmong } from './log-files.ts';

/** How much of a log is kept. */
export interface LogBounds {
  readonly folder: string;
  /** Seconds; files older than this are deleted. Infinity or 0: kept. */
  readonly maxAge: number;
  /** Octets on the disk of all files of this log together, compressed ones as they are; the oldest go first. */
  readonly maxDirectorySize: number;
}

/** Deletes files of one log that are too old, then the oldest until the folder is within its size. The newest stays. */
export async function prune(bounds: LogBounds, prefix: string, nowMs: number): Promise<void> {
  const files = logFilesAmong(await readdir(bounds.folder), bounds.folder, prefix).reverse();
  let total = 0;
  for (const [age, file] of files.entries()) {
    const stat = await statOf(file);
    if (stat === undefined) continue;
    total += stat.size;
    const tooOld = bounds.maxAge > 0 && nowMs - stat.mtimeMs > bounds.maxAge * 1000;
    if (age > 0 && (tooOld || total > bounds.maxDirectorySize)) await rm(file.path, { force: true });
  }
}

async function statOf({ path }: LogFile): Promise<{ readonly size: number; readonly mtimeMs: number } | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    // Another process pruned it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
