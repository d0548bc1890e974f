/**
 * What a queue engine must do, whoever keeps the bytes. The rooms before and after the queue know only these types;
 * `test/queue/contract.ts` runs one suite against every engine.
 */
import type { BlockPool } from '../../base/index.ts';
import type { Envelope } from '../../mail/index.ts';

/** Where a message came from, for Received, tracking and reports. */
export interface Origin {
  /** Session that brought it; '' for a message made here (a DSN). */
  readonly session: string;
  /** Name of the receive connector, or 'DSN'. */
  readonly connector: string;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly helo: string;
  /** Protocol and cipher when the session was encrypted. */
  readonly tls?: string;
}

/** Facts about the content, found while it was received, so that nobody has to read it again. */
export interface ContentFacts {
  /** Octets, Received header included. */
  readonly size: number;
  /** Octets of the header block, the empty line included. */
  readonly headerSize: number;
  /** A line begins with '.': the sender must stuff it. False saves it the search. */
  readonly leadingDots: boolean;
  /** An octet above 127 stands in the content (RFC 6152). */
  readonly eightBit: boolean;
  /** An octet above 127 stands in a header field (RFC 6532). */
  readonly utf8Header: boolean;
  /** A CR or LF stands alone: the sender must make it CRLF. */
  readonly bareLines: boolean;
  /** Header fields that tracking shows; '' when absent. Long values are cut at 998 octets. */
  readonly messageId: string;
  readonly subject: string;
}

/** What the receiver hands over with the content. */
export interface NewMessage {
  readonly envelope: Envelope;
  readonly origin: Origin;
  readonly facts: ContentFacts;
}

/** How far one recipient has come. Everything that must survive a restart stands here. */
export interface RecipientState {
  readonly status: 'pending' | 'delivered' | 'relayed' | 'failed';
  readonly attempts: number;
  /** Not before, milliseconds since 1970; 0: at once. */
  readonly due: number;
  /** Last reply or reason, one line. */
  readonly lastReply: string;
  /** A delay notification was sent. */
  readonly delayNotified: boolean;
}

/** A message on disk. */
export interface StoredMessage extends NewMessage {
  /** Internal message id: unique in the spool shard, ascending, never used twice. */
  readonly id: number;
  /** Network message id (GUID), the same on every server of the organization. */
  readonly guid: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  /** Milliseconds since 1970; after it the pending recipients fail with 4.4.7. */
  readonly expiresAt: number;
  /** One for each of `envelope.recipients`, in the same order. */
  readonly recipients: readonly RecipientState[];
  /** Agents of the categorizer have changed it: they are not asked again. */
  readonly categorized?: true;
}

/** What stands in the place of the first `octets` of a content. */
export interface ReplacedHead {
  readonly head: Buffer;
  readonly octets: number;
}

/** What agents made of a message that nobody has tried to deliver yet. */
export interface Revision {
  readonly envelope: Envelope;
  /** Of the content as it is afterwards. */
  readonly facts: ContentFacts;
  /** One for each of `envelope.recipients`. */
  readonly recipients: readonly RecipientState[];
  readonly replaced?: ReplacedHead;
}

/**
 * One message being received. Content is the message itself (RFC 5322 octets, dots not stuffed).
 * Nothing is durable before commit() resolves; a writer that is not committed must be aborted.
 */
export interface MessageWriter {
  readonly id: number;
  readonly guid: string;
  /** Takes a chunk; the buffer must not change afterwards. A promise means: wait before the next one. */
  write(chunk: Buffer): void | Promise<void>;
  /** The first octets of what was written are these instead. Once, before commit, whose facts are those of the new content. */
  replaceHead(replaced: ReplacedHead): void;
  /** Resolves when message and envelope are on disk. Throws SpoolError when they are not and never will be. */
  commit(message: NewMessage, expiresAt: number): Promise<StoredMessage>;
  /** Forgets what was written. Safe to call at any time before commit. */
  abort(): Promise<void>;
}

/** The writer of a spool; the queue's own writers hide `content`. */
export interface SpoolWriter extends MessageWriter {
  /** After commit: the whole content of a small message, so that nobody has to read it back. */
  readonly content: Buffer | undefined;
}

/** How often the process broke down while a message was in delivery. Kept for messages that may be the cause. */
export interface CrashNotes {
  /** By internal message id. */
  read(): ReadonlyMap<number, number>;
  /** Replaces all notes. Synchronous, because it is called while the process breaks down. */
  write(counts: ReadonlyMap<number, number>): void;
}

/** The durable store of one worker's messages. */
export interface Spool extends AsyncDisposable {
  /** False while there is too little room for more: begin() then throws SpoolError. */
  readonly accepting: boolean;
  readonly crashNotes: CrashNotes;
  begin(): SpoolWriter;
  /** The whole content if it is small enough to be kept in the store, else undefined: use `stream`. */
  content(id: number): Buffer | undefined;
  /**
   * Content in chunks of at most 256 KB from `start`; closed by the reader's end or by return(). With `blocks` of 256 KB large
   * content lies in these: the reader gives each back when nobody looks at it any more.
   */
  stream(id: number, start?: number, blocks?: BlockPool): AsyncIterable<Buffer>;
  get(id: number): StoredMessage | undefined;
  /** Every message, in order of id. Read lazily: a spool of a million messages does not fill the memory. */
  list(): Iterable<StoredMessage>;
  /** Number of messages. */
  readonly count: number;
  /** Messages that cannot be read, with the reason: `list` passes them over, and they stay until they are removed. */
  readonly damaged: ReadonlyMap<number, string>;
  /** Durable when resolved. Calls for one message take effect in their order. Throws SpoolError. */
  update(id: number, recipients: readonly RecipientState[]): Promise<void>;
  /**
   * Replaces envelope, facts, states and the beginning of the content, all or nothing; durable when resolved. Resolves with the
   * message as it is now; undefined when it is not there. Throws SpoolError.
   */
  revise(id: number, revision: Revision): Promise<StoredMessage | undefined>;
  /** Durable when resolved; an id that is not there is no fault. Throws SpoolError. */
  remove(id: number): Promise<void>;
}

/** The spool could not take or keep a message (disk full, write failed). Answered with 452 4.3.1. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
}
