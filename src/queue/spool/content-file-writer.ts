import type { FileHandle } from 'node:fs/promises';
import type { ContentFolder } from './content-folder.ts';

/**
 * Writes one large message to its file: chunks are copied into blocks, of which one is filled while another is on its way to the
 * disk. Copying costs less than the memory of hundreds of chunks that wait.
 */
export class ContentFileWriter {
  readonly #folder: ContentFolder;
  readonly #id: number;
  #file: FileHandle | undefined;
  /** The block that is being filled, and the octets in it. */
  #block: Buffer | undefined;
  #filled = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(folder: ContentFolder, id: number) {
    this.#folder = folder;
    this.#id = id;
  }

  /** A promise means: wait, the disk is slower than you. Throws, or rejects, when an earlier write failed. */
  write(chunk: Buffer): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure as Error;
    for (let rest = this.#fill(chunk); rest.length > 0; rest = this.#fill(rest)) {
      if (this.#writing !== undefined) return this.#writeLater(rest);
      this.#writing = this.#writeBlock();
    }
  }

  /** Resolves when everything is on the disk, the file's name included. */
  async finish(): Promise<void> {
    await this.#written();
    await this.#writeBlock();
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
    this.#giveBack();
    await this.#writing;
    await this.#remove();
  }

  /** Copies what the block has room for. Returns the rest. */
  #fill(chunk: Buffer): Buffer {
    this.#block ??= this.#folder.blocks.take();
    const copied = chunk.copy(this.#block, this.#filled);
    this.#filled += copied;
    return chunk.subarray(copied);
  }

  async #writeLater(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; rest = this.#fill(rest)) {
      await this.#written();
      this.#writing = this.#writeBlock();
    }
  }

  async #written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  /** Writes what is in the block. Never rejects: the failure is kept for the next call. */
  async #writeBlock(): Promise<void> {
    const block = this.#block;
    const filled = this.#filled;
    this.#block = undefined;
    this.#filled = 0;
    try {
      this.#file ??= await this.#folder.create(this.#id);
      if (block !== undefined) await writeAll(this.#file, block.subarray(0, filled));
    } catch (error) {
      this.#failure ??= error;
      // A disk that is full needs the room now, not when somebody gives the message up.
      await this.#remove();
    }
    if (block !== undefined) this.#folder.blocks.give(block);
    this.#writing = undefined;
  }

  /** Never rejects. */
  async #remove(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
      await this.#folder.remove(this.#id);
    } catch {
      // Swept away at the next start.
    }
  }

  #giveBack(): void {
    if (this.#block !== undefined) this.#folder.blocks.give(this.#block);
    this.#block = undefined;
    this.#filled = 0;
  }
}

/** A disk that fills up writes less than it was asked to. */
async function writeAll(file: FileHandle, octets: Buffer): Promise<void> {
  for (let at = 0; at < octets.length; ) {
    const { bytesWritten } = await file.write(octets, at);
    if (bytesWritten === 0) throw new Error('nothing more could be written');
    at += bytesWritten;
  }
}
