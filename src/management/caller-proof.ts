/**
 * Who is at the other end of the management socket. Node.js does not tell (no SO_PEERCRED), but the file system does: the service
 * says a name that nobody can guess, the caller makes a folder of that name, and its owner is the caller, by the kernel's word.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';

/** Name of the folder for proofs beside the socket: those who may call write in it, none of them can list it. */
export const proofFolderName = 'callers';

/** Linux's O_PATH, which Node.js does not name: a place in the file system, for passing through only. */
const placeOnly = 0o10000000;

/** A folder held open: what is reached by its path stays below it, whatever is renamed meanwhile, and the path is short. */
export interface HeldFolder extends Disposable {
  readonly path: string;
  /** Account that owns it. */
  readonly uid: number;
}

/** Holds a folder. With `own`, not through a symbolic link. Throws what the system says (ENOENT, EACCES, ELOOP, …). */
export function holdFolder(path: string, own: 'own' | 'any' = 'any'): HeldFolder {
  const { O_DIRECTORY, O_NOFOLLOW } = constants;
  const fd = openSync(path, placeOnly | O_DIRECTORY | (own === 'own' ? O_NOFOLLOW : 0));
  return { path: `/proc/self/fd/${fd}`, uid: fstatSync(fd).uid, [Symbol.dispose]: () => closeSync(fd) };
}

/**
 * The caller's side: shows who this process runs as. The folder must really lie in that of the endpoint: through a link, somebody
 * who set up an endpoint of their own could have us prove ourselves at another.
 */
export function proveOneself(endpoint: HeldFolder, name: string): void {
  if (!/^[0-9a-f]{32}$/.test(name)) throw new Error('the service asks for a proof of a form that is not known here');
  using proofs = holdFolder(join(endpoint.path, proofFolderName), 'own');
  mkdirSync(join(proofs.path, name), { mode: 0o700 });
}

/** The service's side: the names that it said and has not seen proved. */
export class ProofFolder {
  readonly #path: string;
  readonly #device: number;

  /** Removes what an earlier service or a stranger left behind. */
  constructor(endpoint: string) {
    this.#path = join(endpoint, proofFolderName);
    this.#device = lstatSync(this.#path).dev;
    for (const name of readdirSync(this.#path)) this.#remove(name);
  }

  /** A new name to prove oneself by. */
  issue(): string {
    return randomBytes(16).toString('hex');
  }

  /** Numeric id of the account that made the folder of this name; the name is spent. Throws Error when it is no proof. */
  redeem(name: string): number {
    const path = join(this.#path, name);
    try {
      const stat = lstatSync(path);
      // A file system that the caller mounted (FUSE) says of its folders what the caller likes.
      if (stat.dev !== this.#device) throw new Error('this folder lies on another device');
      // A folder that only its owner may write in cannot have been moved here by anybody else (rename(2), EACCES).
      if (!stat.isDirectory() || (stat.mode & 0o022) !== 0) throw new Error('this is no folder of its owner alone');
      // Nor is it a file system of the caller's own making: a mount point cannot be removed (EBUSY).
      rmdirSync(path);
      return stat.uid;
    } catch (cause) {
      throw new Error(`the caller did not prove who it is: ${(cause as Error).message}`, { cause });
    }
  }

  /** The caller went away without having proved anything. */
  withdraw(name: string): void {
    this.#remove(name);
  }

  #remove(name: string): void {
    const path = join(this.#path, name);
    try {
      if (lstatSync(path).isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    } catch {
      // It is not there, or somebody put something of their own into it: whoever could is an administrator.
    }
  }
}
