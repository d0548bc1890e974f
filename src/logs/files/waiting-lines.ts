/** Octets that one piece holds; a longer line gets a piece of its own. */
const pieceBytes = 128 * 1024;
/** One piece is written while the next one fills. */
const mostSpares = 2;

/** Whole lines, as they go to the file in one write. */
export interface Piece {
  readonly octets: Buffer;
  readonly lines: number;
  /** What the octets are part of. */
  readonly room: Buffer;
}

/**
 * Lines that wait to be written, as octets from the start. As texts they would be joined and encoded at the write, and each of
 * their parts would be looked at in every collection of garbage until then.
 */
export class WaitingLines {
  readonly #full: Piece[] = [];
  #open: Buffer | undefined;
  /** Of pieces that were written, for the next ones. */
  #spares: Buffer[] = [];
  #length = 0;
  #lines = 0;
  #waiting = 0;

  /** Octets of all lines. */
  get octets(): number {
    return this.#waiting;
  }

  /** A piece can be written that grows no more. */
  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  /** Takes a line, without its end. */
  add(line: string): void {
    // One UTF-16 unit is three octets of UTF-8 at most.
    const most = 3 * line.length + 2;
    if (this.#open !== undefined && this.#open.length - this.#length < most) this.#close();
    this.#open ??= this.#roomFor(most);
    const start = this.#length;
    this.#length += this.#open.write(line, start);
    // Not as part of the text, which would be copied for it.
    this.#open[this.#length++] = 0x0d;
    this.#open[this.#length++] = 0x0a;
    this.#waiting += this.#length - start;
    this.#lines += 1;
  }

  /** Removes the oldest piece; undefined when nothing waits. */
  take(): Piece | undefined {
    if (this.#full.length === 0) this.#close();
    const piece = this.#full.shift();
    this.#waiting -= piece?.octets.length ?? 0;
    return piece;
  }

  /**
   * The piece is written, and nobody looks at it any more: its room is used again. A new one for each write lives just long
   * enough to be taken for old by the garbage collector, which then goes through the whole heap for a few of them.
   */
  giveBack({ room }: Piece): void {
    if (room.length === pieceBytes && this.#spares.length < mostSpares) this.#spares.push(room);
  }

  /** Nothing is written for a while: no room is held for it. */
  rest(): void {
    this.#spares = [];
  }

  #roomFor(octets: number): Buffer {
    const spare = octets <= pieceBytes ? this.#spares.pop() : undefined;
    return spare ?? Buffer.allocUnsafeSlow(Math.max(pieceBytes, octets));
  }

  #close(): void {
    if (this.#open === undefined) return;
    this.#full.push({ octets: this.#open.subarray(0, this.#length), lines: this.#lines, room: this.#open });
    this.#open = undefined;
    this.#length = 0;
    this.#lines = 0;
  }
}
