import type { FileHandle } from 'node:fs/promises';
import { type ContentFolder, chunkBytes } from './content-folder.ts';

/** Octets that may wait for the disk before the sender has to; two writes' worth. */
const mostWaiting = 2 * chunkBytes;

/** Writes one large message to its file: chunks are gathered into few writes, one of which is under way at a time. */
export class ContentFileWriter {
  readonly #folder: ContentFolder;
  readonly #id: number;
  #file: FileHandle | undefined;
  #waiting: Buffer[];
  #waitingBytes: number;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  /** `head`: what came before the message turned out to be large. */
  constructor(folder: ContentFolder, id: number, head: Buffer[], headBytes: number) {
    this.#folder = folder;
    this.#id = id;
    this.#waiting = head;
    this.#waitingBytes = headBytes;
  }

  /** A promise means: wait, the disk is slower than you. Throws, or rejects, when an earlier write failed. */
  write(chunk: Buffer): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure as Error;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes < chunkBytes) return;
    this.#writing ??= this.#drain();
    return this.#waitingBytes < mostWaiting ? undefined : this.#written();
  }

  /** Resolves when everything is on the disk, the file's name included. */
  async finish(): Promise<void> {
    await this.#written();
    await this.#drain();
    if (this.#failure !== undefined) throw this.#failure as Error;
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) throw new Error('the file was closed before its end');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    await this.#folder.sync();
  }

  /** Deletes the file. Never rejects: what is left is swept away at the next start. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('the message was given up');
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      await this.#writing;
      await this.#file?.close();
      this.#file = undefined;
      await this.#folder.remove(this.#id);
    } catch {
      // Swept later.
    }
  }

  async #written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  /** Never rejects: the failure is kept for the next call. */
  async #drain(): Promise<void> {
    try {
      this.#file ??= await this.#folder.create(this.#id);
      while (this.#waiting.length > 0 && this.#failure === undefined) {
        const chunks = this.#waiting;
        this.#waiting = [];
        this.#waitingBytes = 0;
        await writeAll(this.#file, chunks);
      }
    } catch (error) {
      this.#failure ??= error;
    }
    this.#writing = undefined;
  }
}

/** Most buffers that the system takes in one call. */
const mostVectors = 1_000;

/** A disk that fills up writes less than it was asked to. */
async function writeAll(file: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  for (let i = 0; i < chunks.length; i += mostVectors) {
    let rest = chunks.slice(i, i + mostVectors);
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest);
      if (bytesWritten === 0) throw new Error('nothing more could be written');
      rest = after(rest, bytesWritten);
    }
  }
}

function after(chunks: readonly Buffer[], written: number): Buffer[] {
  let left = written;
  let i = 0;
  for (let chunk = chunks[i]; chunk !== undefined && chunk.length <= left; chunk = chunks[++i]) left -= chunk.length;
  const [first, ...others] = chunks.slice(i);
  return first === undefined ? [] : [first.subarray(left), ...others];
}
