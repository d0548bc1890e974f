import { newGuid } from '../../base/index.ts';
import {
  type NewMessage,
  type ReplacedHead,
  SpoolError,
  type SpoolWriter,
  type StoredMessage,
} from '../model/contract.ts';
import { ContentFileWriter } from './content-file-writer.ts';
import type { ContentFolder } from './content-folder.ts';
import { withHead } from './replaced-head.ts';

/** What a writer asks of the spool that it belongs to. */
export interface WriterStore {
  readonly thresholdBytes: number;
  readonly folder: ContentFolder;
  commit(id: number, guid: string, message: NewMessage, expiresAt: number, content: Written): Promise<StoredMessage>;
  /** A write failed: there may be too little room. */
  failed(): void;
}

/** Where a content is: whole, or in its file, of which another beginning may hold. */
export type Written = { readonly content: Buffer } | { readonly content: undefined; readonly replaced?: ReplacedHead };

/** Gathers a small message in memory; streams a large one to its file. */
export class LmdbWriter implements SpoolWriter {
  readonly id: number;
  readonly guid = newGuid();
  readonly #store: WriterStore;
  #chunks: Buffer[] = [];
  #length = 0;
  #file: ContentFileWriter | undefined;
  #state: 'open' | 'committing' | 'ended' = 'open';
  #content: Buffer | undefined;
  #replaced: ReplacedHead | undefined;

  constructor(id: number, store: WriterStore) {
    this.id = id;
    this.#store = store;
  }

  get content(): Buffer | undefined {
    return this.#content;
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#state !== 'open') throw new Error(`message ${this.id} takes no more content`);
    this.#length += chunk.length;
    let octets = chunk;
    if (this.#file === undefined) {
      this.#chunks.push(chunk);
      if (this.#length <= this.#store.thresholdBytes) return;
      this.#file = new ContentFileWriter(this.#store.folder, this.id);
      octets = Buffer.concat(this.#chunks, this.#length);
      this.#chunks = [];
    }
    try {
      return this.#file.write(octets)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  replaceHead(replaced: ReplacedHead): void {
    if (this.#state !== 'open') throw new Error(`message ${this.id} takes no more content`);
    this.#replaced = replaced;
  }

  async commit(message: NewMessage, expiresAt: number): Promise<StoredMessage> {
    if (this.#state !== 'open') throw new Error(`message ${this.id} was committed or given up already`);
    this.#state = 'committing';
    try {
      await this.#file?.finish();
      const written = this.#written();
      this.#chunks = [];
      const stored = await this.#store.commit(this.id, this.guid, message, expiresAt, written);
      this.#content = written.content;
      this.#state = 'ended';
      return stored;
    } catch (error) {
      this.#state = 'ended';
      await this.#file?.discard();
      this.#fail(error);
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#chunks = [];
    await this.#file?.discard();
  }

  #written(): Written {
    const replaced = this.#replaced;
    if (this.#file !== undefined) return { content: undefined, ...(replaced === undefined ? {} : { replaced }) };
    const content = Buffer.concat(this.#chunks, this.#length);
    return { content: replaced === undefined ? content : withHead(content, replaced) };
  }

  #fail(error: unknown): never {
    this.#store.failed();
    if (error instanceof SpoolError) throw error;
    throw new SpoolError('the content could not be written', { cause: error });
  }
}
