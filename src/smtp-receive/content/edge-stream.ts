import { DotUnstuffer } from '../../smtp/index.ts';
import { GatheredChunks } from './gathered-chunks.ts';
import { SMTPStream } from './library.ts';

/** Takes the content of one message. Neither method throws or rejects; a promise means: send no more before it settles. */
export interface ContentSink {
  /** Octets of DATA without the dots of transparency, or octets of BDAT; the buffer belongs to the sink from now on. */
  write(chunk: Buffer): void | Promise<void>;
  /** CRLF.CRLF was seen, or all octets of the chunk: it is to be answered. */
  end(): void | Promise<void>;
}

/** Takes what the client says. No method throws or rejects; a promise means: say no more before it settles. */
export interface LineTaker {
  /** One command line without its end, one character for each octet. */
  takeLine(line: string): void | Promise<void>;
  /** A line was longer than allowed; it has been thrown away but for its beginning. */
  takeLongLine(beginning: string): void | Promise<void>;
  /** All that came so far is dealt with: send the replies, and call `next` when the client has room for more. */
  pause(next: () => void): void;
  /** The client will say no more (it closed its side). */
  takeEnd(): void;
}

/**
 * Longest command line, octets without its end. RFC 5321 §4.5.3.1.4 obliges to 512; RFC 3461 and 6531 add some
 * hundreds each for MAIL and RCPT.
 */
export const longestLine = 4096;

/** Octets of a line that is too long which are kept: the longest verb with its space. */
const verbOctets = 9;

/** Room for the beginning of a line that comes in several packets; it doubles. */
const firstCapacity = 128;

/** Commands dealt with before others get their turn: a packet full of NOOPs must not hold up the rest. */
const mostLines = 32;

const nothing = Buffer.alloc(0);
const lf = 0x0a;
const cr = 0x0d;

/**
 * The parser of one connection: command lines, and the content of DATA and BDAT in a single pass. It replaces everything that
 * SMTPStream does with octets, whose dot removal costs a turn of the event loop for each dot, and keeps what
 * SMTPConnection relies on: a Writable, into which nothing is piped here, and `isClosed`.
 */
export class EdgeStream extends SMTPStream {
  #taker: LineTaker;
  /** The line so far, when a chunk ended in its middle. */
  #partial: GatheredChunks | undefined;
  /** Longest line now, octets without its end. */
  #longest = longestLine;
  /** The rest of a line that is too long is being thrown away. */
  #skipping = false;
  /** The first octets of that line: its verb. */
  #beginning = '';
  #sink: ContentSink | undefined;
  #unstuffer: DotUnstuffer | undefined;
  /** Octets of the chunk of BDAT that are still to come. */
  #chunkLeft = 0;
  #waiting = false;
  /** What is left of the chunk. */
  #rest: Buffer = nothing;
  /** Called when the chunk is dealt with; undefined between chunks. */
  #next: (() => void) | undefined;
  #ended = false;

  constructor(taker: LineTaker) {
    super({ decodeStrings: true });
    this.#taker = taker;
  }

  /** The client waits for us (an agent, the disk), not we for the client. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** What comes next is content, up to CRLF.CRLF. */
  startContent(sink: ContentSink): void {
    this.#sink = sink;
    this.#unstuffer = new DotUnstuffer();
    this._dataMode = true;
  }

  /** What comes next is so many octets of content, whatever they are (RFC 3030 §2). */
  startChunk(octets: number, sink: ContentSink): void {
    this.#sink = sink;
    this.#chunkLeft = octets;
    this._dataMode = true;
  }

  /** The next line may be of that length, and those behind it of the usual one again. */
  limitLine(maxBytes: number): void {
    this.#longest = maxBytes;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: (error?: Error | null) => void): void {
    this.take(chunk, next);
  }

  /** A chunk past the machinery of Writable, for who sends none before `next` was called. */
  take(chunk: Buffer, next: () => void): void {
    this.#rest = chunk;
    this.#next = next;
    this.#run();
  }

  /** The client closed its side. What it said before is dealt with, and answered, first. */
  finish(): void {
    this.#ended = true;
    if (this.#next === undefined) this.#taker.takeEnd();
  }

  /** A line without its end is no command, even when the client goes. */
  override _flushData(): void {
    this.finish();
  }

  #run(): void {
    for (let lines = 0; this.#rest.length > 0 && !this.isClosed; ) {
      const wait = this._dataMode ? this.#takeContent() : this.#takeLine();
      if (wait !== undefined) {
        const goOn = (): void => {
          this.#waiting = false;
          this.#run();
        };
        this.#waiting = true;
        // Replies to what was pipelined before must not wait for a disk.
        this.#taker.pause(() => void wait.then(goOn, goOn));
        return;
      }
      if (++lines === mostLines && this.#rest.length > 0) {
        this.#taker.pause(() => setImmediate(() => this.#run()));
        return;
      }
    }
    // Not an empty part of it: that would keep the chunk while the client is silent.
    this.#rest = nothing;
    if (this.isClosed) this.#chunkDone();
    else this.#taker.pause(() => this.#chunkDone());
  }

  #chunkDone(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
    if (this.#ended && this.#next === undefined) this.#taker.takeEnd();
  }

  #takeChunk(sink: ContentSink): void | Promise<void> {
    const chunk = this.#rest.subarray(0, this.#chunkLeft);
    this.#rest = this.#rest.subarray(chunk.length);
    this.#chunkLeft -= chunk.length;
    const wait = sink.write(chunk);
    if (this.#chunkLeft > 0) return wait;
    this._dataMode = false;
    this.#sink = undefined;
    return wait === undefined ? sink.end() : wait.then(() => sink.end());
  }

  #takeContent(): void | Promise<void> {
    const sink = this.#sink;
    if (sink !== undefined && this.#chunkLeft > 0) return this.#takeChunk(sink);
    const unstuffed = this.#unstuffer?.push(this.#rest);
    if (sink === undefined || unstuffed === undefined) return;
    const { content, done, rest } = unstuffed;
    this.#rest = rest;
    const wait = content.length > 0 ? sink.write(content) : undefined;
    if (!done) return wait;
    this._dataMode = false;
    this.#sink = undefined;
    this.#unstuffer = undefined;
    return wait === undefined ? sink.end() : wait.then(() => sink.end());
  }

  /**
   * A line ends with CRLF. A bare LF ends one too, as with every other server: a command is one line either way, and
   * what ends a message is decided by CRLF.CRLF alone (RFC 5321 §2.3.8 is about what could be read in two ways).
   */
  #takeLine(): void | Promise<void> {
    const chunk = this.#rest;
    const end = chunk.indexOf(lf);
    if (end < 0) {
      this.#rest = chunk.subarray(chunk.length);
      this.#keepPartial(chunk);
      return;
    }
    this.#rest = chunk.subarray(end + 1);
    const partial = this.#partial;
    const limit = this.#longest;
    this.#longest = longestLine;
    this.#partial = undefined;
    if (this.#skipping || (partial?.length ?? 0) + end > limit + 1) {
      const beginning = this.#skipping ? this.#beginning : beginningOf(partial, chunk);
      this.#skipping = false;
      return this.#taker.takeLongLine(beginning);
    }
    const line = partial === undefined ? lineOf(chunk, end) : joined(partial, chunk.subarray(0, end));
    return line.length > limit ? this.#taker.takeLongLine(line.slice(0, verbOctets)) : this.#taker.takeLine(line);
  }

  #keepPartial(chunk: Buffer): void {
    if (this.#skipping) return;
    // One more than allowed: the last octet may be the CR of the line end.
    this.#skipping = (this.#partial?.length ?? 0) + chunk.length > this.#longest + 1;
    if (this.#skipping) {
      this.#beginning = beginningOf(this.#partial, chunk);
      this.#partial = undefined;
    } else {
      this.#partial ??= new GatheredChunks(firstCapacity);
      this.#partial.add(chunk);
    }
  }
}

/** The first octets of a line that is not kept. */
function beginningOf(partial: GatheredChunks | undefined, chunk: Buffer): string {
  const whole = partial === undefined ? chunk : Buffer.concat([partial.take(), chunk.subarray(0, verbOctets)]);
  return whole.toString('latin1', 0, verbOctets);
}

function joined(partial: GatheredChunks, rest: Buffer): string {
  partial.add(rest);
  const line = partial.take();
  return lineOf(line, line.length);
}

function lineOf(chunk: Buffer, end: number): string {
  return chunk.toString('latin1', 0, chunk[end - 1] === cr ? end - 1 : end);
}
