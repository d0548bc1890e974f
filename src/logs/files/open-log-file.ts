import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import { makeFolder } from '../../base/index.ts';

/** No link is followed, and a named pipe or a device does not hold the caller: what is no regular file is refused. */
const safely = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens a log file to append to it, or makes it with its header. Throws what the system says, or Error for what is no file. */
export async function openToAppend(folder: string, path: string, header: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_APPEND | safely;
  const known = await openIfThere(path, flags);
  if (known !== undefined) return known;
  await makeFolder(folder);
  // The header must come first though several processes may begin the file at once: it is written aside and linked.
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(header);
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const made = await openIfThere(path, flags);
  if (made === undefined) throw new Error(`${path} was removed while it was made`);
  return made;
}

/** Opens a log file to read it. Undefined: it is not there any more. Throws Error for what is no regular file. */
export function openToRead(path: string): Promise<FileHandle | undefined> {
  return openIfThere(path, constants.O_RDONLY | safely);
}

async function openIfThere(path: string, flags: number): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`${path} is no regular file`);
}
