/** Transparency of DATA: RFC 5321 §4.5.2. */

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;
const none = Buffer.alloc(0);
const loneCr = Buffer.from('\r');

/** Makes content ready for DATA. */
export class DotStuffer {
  readonly #normalise: boolean;
  /** The last two octets of the content so far; a fresh message is at the start of a line. */
  #beforeLast = cr;
  #last = lf;

  /**
   * `normalise`: make every bare CR and bare LF a CRLF, so that nobody behind us can see an end of data where we see
   * none (SMTP smuggling). Needed only for content that has some: it costs the fast path.
   */
  constructor({ normalise }: { readonly normalise: boolean }) {
    this.#normalise = normalise;
  }

  /** The same buffer when nothing is to do. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const nothingToDo = !this.#normalise && !(this.#last === lf && chunk[0] === dot) && chunk.indexOf('\n.') < 0;
    const wire = nothingToDo ? chunk : this.#rewrite(chunk);
    this.#beforeLast = chunk.length > 1 ? (chunk[chunk.length - 2] ?? 0) : this.#last;
    this.#last = chunk[chunk.length - 1] ?? 0;
    return wire;
  }

  /** What is left over and the end of data: `.CRLF`, with a CRLF before it if the content does not end with one. */
  end(): Buffer {
    const pendingCr = this.#normalise && this.#last === cr;
    const atLineStart = this.#last === lf && (this.#normalise || this.#beforeLast === cr);
    return Buffer.from(`${pendingCr ? '\n' : atLineStart ? '' : '\r\n'}.\r\n`);
  }

  /** Octet by octet into one buffer: a message full of dots costs no more than any other. */
  #rewrite(chunk: Buffer): Buffer {
    const wire = Buffer.allocUnsafe(chunk.length * 2 + 1);
    const normalise = this.#normalise;
    let last = this.#last;
    let length = 0;
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] ?? 0;
      if (normalise && (last === cr) !== (octet === lf)) {
        // Either a CR that no LF follows, which now gets one, or an LF that no CR precedes.
        wire[length++] = last === cr ? lf : cr;
        if (last === cr) last = lf;
      }
      if (octet === dot && last === lf) wire[length++] = dot;
      wire[length++] = octet;
      last = octet;
    }
    return wire.subarray(0, length);
  }
}

export interface Unstuffed {
  /** Content, dots removed; in the memory of the chunk but for one octet that may come out in addition. May be empty. */
  readonly content: Buffer;
  /** CRLF.CRLF was seen: the data is complete. */
  readonly done: boolean;
  /** What followed the end of data in this chunk (pipelined commands); empty unless done. */
  readonly rest: Buffer;
}

/** Where we are between CRLF and CRLF.CRLF. A table of the RFC's one rule; nothing else ends the data. */
type Place = 'inLine' | 'afterCr' | 'lineStart' | 'afterDot' | 'afterDotCr';

/** Takes DATA from the wire up to CRLF.CRLF and to nothing else: LF.LF, CR.CR and their like are content. */
export class DotUnstuffer {
  #place: Place = 'lineStart';
  #done = false;

  /** The chunk belongs to the content from now on: it is written over where dots are taken out. */
  push(chunk: Buffer): Unstuffed {
    if (this.#done) return { content: none, done: true, rest: chunk };
    const from = this.#untouched(chunk);
    if (from === chunk.length) return { content: chunk, done: false, rest: none };
    // The usual end of a message: nothing has to be copied.
    const ends = this.#place === 'lineStart' && chunk[from] === dot && chunk[from + 1] === cr && chunk[from + 2] === lf;
    if (ends) {
      this.#done = true;
      return { content: chunk.subarray(0, from), done: true, rest: chunk.subarray(from + 3) };
    }
    return this.#rewrite(chunk, from);
  }

  /** Octets at the beginning that are content as they are; `#place` is then that behind them. */
  #untouched(chunk: Buffer): number {
    if (this.#place === 'afterDot' || this.#place === 'afterDotCr') return 0;
    if (this.#place === 'lineStart' && chunk[0] === dot) return 0;
    let inVain = 0;
    for (let at = chunk.indexOf('\n.'); at >= 0; at = chunk.indexOf('\n.', at + 1)) {
      const afterCr = at > 0 ? chunk[at - 1] === cr : this.#place === 'afterCr';
      // A chunk full of LF and dot makes searching dearer than reading on.
      if (!afterCr && ++inVain > 16) return 0;
      if (!afterCr) continue;
      this.#place = 'lineStart';
      return at + 1;
    }
    this.#place = this.#placeBehind(chunk);
    return chunk.length;
  }

  #placeBehind(chunk: Buffer): Place {
    const last = chunk[chunk.length - 1];
    if (last === undefined) return this.#place;
    if (last === cr) return 'afterCr';
    if (last !== lf) return 'inLine';
    const afterCr = chunk.length > 1 ? chunk[chunk.length - 2] === cr : this.#place === 'afterCr';
    return afterCr ? 'lineStart' : 'inLine';
  }

  /** In place: a second buffer for each chunk costs more than the octets. What is read is never behind what is written. */
  #rewrite(chunk: Buffer, from: number): Unstuffed {
    // A CR that the chunk before held back, and that ends no data, comes out in addition.
    if (this.#place === 'afterDotCr' && chunk[0] !== lf) {
      this.#place = 'inLine';
      return this.#rewrite(Buffer.concat([loneCr, chunk]), 1);
    }
    let length = from;
    let place = this.#place;
    for (let i = from; i < chunk.length; ) {
      if (place === 'inLine') {
        const ran = moveLines(chunk, i, length);
        length += ran.written;
        i += ran.read;
        place = ran.place;
        if (i === chunk.length) break;
      }
      const octet = chunk[i++] ?? 0;
      if (place === 'lineStart' && octet === dot) {
        place = 'afterDot';
        continue;
      }
      if (place === 'afterDot' && octet === cr) {
        place = 'afterDotCr';
        continue;
      }
      if (place === 'afterDotCr') {
        if (octet === lf) {
          this.#done = true;
          return { content: chunk.subarray(0, length), done: true, rest: chunk.subarray(i) };
        }
        chunk[length++] = cr;
      }
      chunk[length++] = octet;
      place = octet === cr ? 'afterCr' : octet === lf && place === 'afterCr' ? 'lineStart' : 'inLine';
    }
    this.#place = place;
    return { content: chunk.subarray(0, length), done: false, rest: none };
  }
}

interface Moved {
  readonly read: number;
  readonly written: number;
  readonly place: Place;
}

/**
 * Moves octets forward from the middle of a line on, without the dots of transparency, up to what may be the end of data or the
 * last two octets: those are for the table of places.
 */
function moveLines(chunk: Buffer, from: number, to: number): Moved {
  const end = chunk.length - 2;
  let i = from;
  let length = to;
  while (i < end) {
    const octet = chunk[i++] ?? 0;
    chunk[length++] = octet;
    if (octet !== cr || chunk[i] !== lf) continue;
    chunk[length++] = lf;
    i += 1;
    if (chunk[i] !== dot) continue;
    if (i >= end || chunk[i + 1] === cr) return { read: i - from, written: length - to, place: 'lineStart' };
    // The dot in front of another octet was stuffed.
    i += 1;
  }
  return { read: i - from, written: length - to, place: 'inLine' };
}
