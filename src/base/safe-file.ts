import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the entries of a folder durable: a new or renamed file survives a power cut only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a draft that is open, syncs it to the disk and closes it. One that cannot be written is removed. */
export async function fillDraft(
  draft: string,
  file: FileHandle,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  try {
    await write(file);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Replaces a file so that a reader, or a crash, sees the old or the new content, never a part. Mode 0600 by default. */
export async function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await fillDraft(draft, await open(draft, 'wx', mode), (file) => file.writeFile(content));
  await rename(draft, path);
  await syncFolder(dirname(path));
}
