/** What a delivery status notification is asked for. */
import type { Envelope } from './envelope.ts';

export type ReportKind = 'failed' | 'delayed' | 'delivered' | 'relayed';

/** The command that a reply answers: it says what a reply without an enhanced code is about. */
export type ReplyPhase = 'MAIL' | 'RCPT' | 'DATA';

/** What the report has to know of the message; a message of the queue has this shape. */
export interface ReportedMessage {
  readonly envelope: Envelope;
  readonly receivedAt: number;
  readonly expiresAt: number;
  readonly origin: { readonly helo: string; readonly remoteAddress: string };
  readonly facts: {
    readonly messageId: string;
    readonly subject: string;
    readonly size: number;
  };
}

export interface ReportedRecipient {
  /** Index into message.envelope.recipients. */
  readonly index: number;
  /** The reply in one line: '550 5.1.1 User unknown'. */
  readonly reply: string;
  /** Who said it: 'host [ip]:port'; '' when it was ourselves. */
  readonly remote: string;
  readonly phase?: ReplyPhase;
}

export interface ReportRequest {
  readonly kind: ReportKind;
  readonly message: ReportedMessage;
  readonly recipients: readonly ReportedRecipient[];
  /** Fully qualified name of this server. */
  readonly reportingMta: string;
  /** Address in From:. */
  readonly postmaster: string;
  /** Header block of the original, or its whole content: the block is found in it. Quoted up to 64 KB. */
  readonly header: Buffer;
  /** Whole content. Returned only with a 'failed' report and unless the sender asked for RET=HDRS (RFC 3461 §4.3). */
  readonly content?: Buffer;
  /** Largest report that the way back takes, in octets: the original is cut to its header, or left out. Default: no limit. */
  readonly mostBytes?: number;
  /** What the next hop said is told (NDRDiagnosticInfoEnabled). Default: yes. */
  readonly diagnostics?: boolean;
  /** Tag of the language of the human part; where there are no texts in it: English. */
  readonly language: string;
  /** The human part is HTML as well as plain text. */
  readonly html: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Unique, as newGuid() makes it: Message-ID and boundary come from it. */
  readonly id: string;
}
