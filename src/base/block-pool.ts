/**
 * Buffers of one size that are filled again and again. A fresh one for each read or write would be counted by V8 as growth of the
 * heap, all of which it then goes through: for a message of 10 MB that costs as much as reading it.
 */
export class BlockPool {
  readonly #blockBytes: number;
  readonly #mostFree: number;
  readonly #free: Buffer[] = [];
  /** The memory of the blocks that somebody has now. One that never comes back is garbage like any other. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** `blockBytes`: octets of each block; `mostFree`: blocks that are kept while nobody needs them. */
  constructor(blockBytes: number, mostFree: number) {
    this.#blockBytes = blockBytes;
    this.#mostFree = mostFree;
  }

  /** A whole block; what it holds is what its last user left. */
  take(): Buffer {
    const block = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes);
    this.#lent.add(block.buffer);
    return block;
  }

  /**
   * Takes a block back, or any part of one: nobody looks at it, or has the system look at it, any more. What is none of the
   * blocks that are lent is left alone.
   */
  give(part: Buffer): void {
    if (!this.#lent.delete(part.buffer)) return;
    if (this.#free.length < this.#mostFree) this.#free.push(Buffer.from(part.buffer));
  }
}
