import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Something in the state directory is not what it must be: a link, a pipe, somebody else's. Names it. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/**
 * Text of a small regular file that nobody can have made another one's: links are not followed (O_NOFOLLOW), a pipe does not hold
 * the caller up (O_NONBLOCK), a second name (hard link) is refused. Undefined when there is none. Throws StateError.
 */
export function readOwnFile(path: string, mostOctets = 64 * 1024): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENXIO') throw new StateError(`${path} is no regular file: remove it`);
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new StateError(`${path} is no regular file: remove it`);
    if (stat.nlink > 1) throw new StateError(`${path} has a second name elsewhere: remove it`);
    if (stat.size > mostOctets) throw new StateError(`${path} is larger than ${mostOctets} octets: remove it`);
    const content = Buffer.alloc(mostOctets);
    return content.subarray(0, readSync(file, content)).toString('utf8');
  } finally {
    closeSync(file);
  }
}
