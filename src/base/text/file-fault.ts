/** Why the system refused a file or folder, in words. */

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'this account may not open it',
  EPERM: 'this account may not do that with it',
  EEXIST: 'it is there already',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EDQUOT: 'the quota of its file system is used up',
  EFBIG: 'it would be larger than a file may be here',
  ENAMETOOLONG: 'a part of its path is too long',
  ELOOP: 'its symbolic links lead in a circle, or there are too many',
  EMFILE: 'this process has too many files open',
  ETXTBSY: 'it is a program that runs',
  EIO: 'the disk could not read or write it',
};

/** Without its path; the error's own text for what is no refusal of the system. */
export function fileReason(error: unknown): string {
  const { code = '', message = String(error), syscall } = error as NodeJS.ErrnoException;
  // A folder that is there already is no fault where folders are made.
  if (code === 'EEXIST' && syscall === 'mkdir') return 'a file is where a folder should be';
  return words[code] ?? message;
}

/** With its path in front, where the error says it. */
export function fileFault(error: unknown): string {
  const { code = '', path } = error as NodeJS.ErrnoException;
  return words[code] === undefined || path === undefined ? fileReason(error) : `${path}: ${fileReason(error)}`;
}

/** Runs `work` on a file: the system does not say of each refusal which file it was (EISDIR, ENOSPC). */
export function onFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw naming(path, error);
  }
}

/** The same error; one of the system says which file it was. */
export function naming(path: string, error: unknown): unknown {
  return error instanceof Error && 'code' in error ? Object.assign(error, { path }) : error;
}
