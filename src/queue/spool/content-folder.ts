import { mkdirSync, readdirSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockPool, ReadGarbage } from '../../base/index.ts';
import { SpoolError } from '../model/contract.ts';

/** Octets that a reader gets at a time, and that a writer gathers before it writes: each time another thread is woken. */
export const chunkBytes = 256 * 1024;

/** Blocks that are kept while nobody writes. */
const mostFreeBlocks = 4;

/** The files of large messages, one for each, named by the message id. A file counts only once a record names it. */
export class ContentFolder {
  /** What writers gather their octets in. */
  readonly blocks = new BlockPool(chunkBytes, mostFreeBlocks);
  readonly #path: string;
  readonly #garbage: ReadGarbage;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  /** Makes the folder when it is absent. */
  constructor(path: string, garbage = new ReadGarbage()) {
    this.#path = path;
    this.#garbage = garbage;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Ids of the files there are, and the names of those that are none of ours. */
  list(): { readonly ids: number[]; readonly others: string[] } {
    const names = readdirSync(this.#path);
    const isOurs = (name: string): boolean => /^[1-9]\d*$/.test(name);
    return { ids: names.filter(isOurs).map(Number), others: names.filter((name) => !isOurs(name)) };
  }

  create(id: number): Promise<FileHandle> {
    return open(this.#file(id), 'wx', 0o600);
  }

  /** A file that is not there is no fault. */
  async remove(name: number | string): Promise<void> {
    try {
      await unlink(this.#file(name));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }

  /** Makes new names durable. Calls that come while one sync runs share the next one. */
  sync(): Promise<void> {
    if (this.#syncing === undefined) {
      this.#syncing = this.#syncOnce().finally(() => {
        this.#syncing = undefined;
      });
      return this.#syncing;
    }
    // The sync under way may have begun before the caller's file was made.
    this.#nextSync ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#nextSync = undefined;
        return this.sync();
      });
    return this.#nextSync;
  }

  /**
   * Chunks of at most 256 KB; in blocks of the pool, if there is one: the reader gives them back. Throws SpoolError when the
   * file cannot be read.
   */
  async *stream(id: number, start: number, blocks?: BlockPool): AsyncGenerator<Buffer, void> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#file(id), 'r');
      for (let at = start; ; ) {
        const block = blocks?.take() ?? Buffer.allocUnsafeSlow(chunkBytes);
        const { bytesRead } = await file.read(block, 0, block.length, at);
        if (bytesRead === 0) {
          blocks?.give(block);
          return;
        }
        at += bytesRead;
        if (blocks === undefined) this.#garbage.add(bytesRead);
        yield block.subarray(0, bytesRead);
      }
    } catch (cause) {
      throw new SpoolError(`the content of message ${id} cannot be read`, { cause });
    } finally {
      await file?.close();
    }
  }

  async #syncOnce(): Promise<void> {
    const folder = await open(this.#path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #file(name: number | string): string {
    return join(this.#path, String(name));
  }
}
