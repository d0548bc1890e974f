/** Replies out of the octets of a connection: RFC 5321 §4.2. */
import { printable } from '../../base/index.ts';
import { oneLine, parseReply } from '../../smtp/index.ts';

/** A complete reply of the peer. */
export interface PeerReply {
  readonly code: number;
  /** In one line, without control characters, cut at 1,000 characters: fit for logs, queue entries and reports. */
  readonly text: string;
  /** As received, lines joined by LF. */
  readonly raw: string;
}

/** The peer sent something that is no reply, or one without end. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** RFC 5321 §4.5.3.1.5 allows 512 octets a line; a peer that never ends one must not fill the memory. */
const longestLine = 8 * 1024;
const longestReply = 64 * 1024;
const longestText = 1_000;

/** Collects chunks into replies. Lines end with LF, with or without CR, as every client accepts them. */
export class ReplyReader {
  /** The line that has begun. */
  #line = '';
  /** Lines of the reply that has begun, each with its LF. */
  #lines = '';

  /** What arrived of a reply that is not complete. */
  get fragment(): string {
    return this.#lines + this.#line;
  }

  /**
   * Takes a chunk and hands over each complete reply, until `take` says false (then the rest of the chunk is forgotten:
   * what a peer says before the TLS handshake must not count after it, RFC 3207 §6). Throws ReplyError.
   */
  push(chunk: Buffer, take: (reply: PeerReply) => boolean): void {
    const text = this.#line + chunk.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = text.slice(start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end);
      start = end + 1;
      const reply = this.#complete(line);
      if (reply !== undefined && !take(reply)) return this.forget();
    }
    this.#line = start === 0 ? text : text.slice(start);
    if (this.#line.length > longestLine) throw new ReplyError('the peer sent a reply line without end');
  }

  forget(): void {
    this.#line = '';
    this.#lines = '';
  }

  #complete(line: string): PeerReply | undefined {
    // Some peers send an empty line after a reply; it answers nothing.
    if (line === '' && this.#lines === '') return undefined;
    const code = codeOf(line);
    if (code < 0) throw new ReplyError(`the peer sent '${printable(line, 80)}', which is no reply`);
    if (line.charCodeAt(3) === 45) {
      this.#lines += `${line}\n`;
      if (this.#lines.length > longestReply) throw new ReplyError('the peer sent a reply without end');
      return undefined;
    }
    if (this.#lines === '') return { code, text: textOf(line), raw: line };
    const raw = this.#lines + line;
    this.#lines = '';
    const whole = parseReply(decoded(raw));
    // Lines with different codes: the last one decides (RFC 5321 §4.2.1 forbids them, peers send them).
    return { code, text: textOf(whole === undefined ? line : oneLine(whole)), raw };
  }
}

/** Three digits followed by space, hyphen or nothing; -1 for anything else. */
function codeOf(line: string): number {
  const a = line.charCodeAt(0) - 48;
  const b = line.charCodeAt(1) - 48;
  const c = line.charCodeAt(2) - 48;
  const follows = line.charCodeAt(3);
  const digits = a >= 2 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
  return digits && (follows === 32 || follows === 45 || line.length === 3) ? a * 100 + b * 10 + c : -1;
}

/** Peers write UTF-8 in their texts; what is none stays as it came, octet for octet. */
function decoded(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text;
  const utf8 = Buffer.from(text, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? text : utf8;
}

/** A hostile text must not move the cursor of whoever reads the log. */
function textOf(line: string): string {
  return printable(decoded(line), longestText);
}
