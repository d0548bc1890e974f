import { GatheredChunks } from './gathered-chunks.ts';
import type { HeldOctets } from './held-octets.ts';

const firstCapacity = 1024;

/** The beginning of a message, held until its header is complete, within the bound for all sessions. */
export class HeldHeader {
  readonly #bound: HeldOctets;
  #gathered: GatheredChunks | undefined;

  constructor(bound: HeldOctets) {
    this.#bound = bound;
  }

  get isEmpty(): boolean {
    return this.#gathered === undefined;
  }

  /** False: there is no room for it in the bound. */
  add(chunk: Buffer): boolean {
    const gathered = this.#gathered;
    const before = gathered?.capacity ?? 0;
    const needed = gathered?.capacityWith(chunk.length) ?? Math.max(firstCapacity, chunk.length);
    if (!this.#bound.take(needed - before)) return false;
    this.#gathered ??= new GatheredChunks(needed);
    this.#gathered.add(chunk);
    return true;
  }

  /** What was held; it is held no more. */
  take(): Buffer {
    const bytes = this.#gathered?.take() ?? Buffer.alloc(0);
    this.drop();
    return bytes;
  }

  drop(): void {
    if (this.#gathered !== undefined) this.#bound.give(this.#gathered.capacity);
    this.#gathered = undefined;
  }
}
