import type { NamedReader } from '../../pipeline/index.ts';
import { GatheredChunks } from './gathered-chunks.ts';
import type { SinkContent } from './message-sink.ts';

/** Chunks of so many octets go on as they are; smaller ones are gathered. */
const largeChunk = 4096;
const firstCapacity = 512;

/** Content on its way to the sink and past the readers of the agents. */
export class ContentOutput {
  readonly #sink: SinkContent;
  #readers: readonly NamedReader[] = [];
  #gathered: GatheredChunks | undefined;

  constructor(sink: SinkContent) {
    this.#sink = sink;
  }

  /** Header fields, which readers do not get. */
  writeHeader(bytes: Buffer): void | Promise<void> {
    return this.#sink.write(bytes);
  }

  /** Content behind the header goes past these too. */
  readBy(readers: readonly NamedReader[]): void {
    this.#readers = readers;
  }

  get readers(): readonly NamedReader[] {
    return this.#readers;
  }

  /** Content behind the header. A promise means: wait before the next chunk. */
  write(chunk: Buffer): void | Promise<void> {
    if (this.#readers.length > 0) return this.#show(chunk).then(() => this.#store(chunk));
    return this.#store(chunk);
  }

  /** Header and content in one buffer, of which the readers get what is behind `headerSize`. */
  writeWhole(bytes: Buffer, headerSize: number): void | Promise<void> {
    if (this.#readers.length > 0) return this.#show(bytes.subarray(headerSize)).then(() => this.#sink.write(bytes));
    return this.#sink.write(bytes);
  }

  /** All of it is here: what was gathered goes on. */
  end(): void | Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    return gathered === undefined ? undefined : this.#sink.write(gathered.take());
  }

  /** The message comes to nothing. */
  abort(): Promise<void> {
    this.#gathered = undefined;
    for (const { reader } of this.#readers) reader.abort?.();
    this.#readers = [];
    return this.#sink.abort();
  }

  async #show(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return;
    for (const { reader } of this.#readers) await reader.write(chunk);
  }

  #store(chunk: Buffer): void | Promise<void> {
    const full = (this.#gathered?.length ?? 0) + chunk.length > largeChunk;
    const wait = full ? this.end() : undefined;
    if (chunk.length < largeChunk) {
      this.#gathered ??= new GatheredChunks(firstCapacity);
      this.#gathered.add(chunk);
      return wait;
    }
    return wait === undefined ? this.#sink.write(chunk) : wait.then(() => this.#sink.write(chunk));
  }
}
