/** Where the mail of a session goes: the contract that the queue fulfils, and a proxy to another server can. */
import type { EnvelopeRecipient } from '../../mail/index.ts';
import type { NewMessage, ReplacedHead } from '../../queue/index.ts';
import type { Reply } from '../../smtp/index.ts';

/** A refusal: the reply, and why, for the decisions. */
export interface Refusal {
  readonly reply: Reply;
  readonly reason: string;
}

/** Takes mail transactions. */
export interface MessageSink {
  /** Says no under back pressure: MAIL and DATA are then answered with this reply. */
  readonly accepting: { readonly ok: true } | { readonly ok: false; readonly reply: Reply };
  /** MAIL was accepted; `from` is '' for the null sender. Throws SmtpError to refuse it after all. */
  begin(sender: { readonly session: string; readonly from: string }): SinkTransaction;
}

/** One mail transaction (RFC 5321 §3.3). It ends with the content or with abort(). */
export interface SinkTransaction {
  /** Asked about each recipient that the session itself would take. Undefined: it is taken. */
  recipient(recipient: EnvelopeRecipient): Refusal | undefined | Promise<Refusal | undefined>;
  /** The content follows. Throws SmtpError when nothing can be taken. */
  content(): SinkContent;
  /** No content will follow: RSET, EHLO, or the end of the session. */
  abort(): void;
}

/** The content of one message: RFC 5322 octets, our trace field first. Errors that are no SmtpError are bugs. */
export interface SinkContent {
  /** Internal message id; 0 where the sink keeps nothing. */
  readonly id: number;
  /** Network message id (GUID). */
  readonly guid: string;
  /** The buffer must not change afterwards. A promise means: wait before the next one. Throws or rejects with SmtpError. */
  write(chunk: Buffer): void | Promise<void>;
  /** All was written, and agents have changed the header since. Throws SmtpError where it cannot be had back. */
  replaceHead(replaced: ReplacedHead): void;
  /** The message is complete. `originalClient`: address that it came from before own servers had it, where they did. Resolves with the reply to the client: after a 2xx the sink is responsible for the message. Rejects with SmtpError. */
  commit(message: NewMessage, originalClient?: string): Promise<Reply>;
  /** Forgets the content, and gives the reply of a message that was taken: an agent has it thrown away. */
  discard(message: Pick<NewMessage['facts'], 'messageId'>): Reply;
  /** Forgets the content. */
  abort(): Promise<void>;
}
