/** What an agent of the receiving side may see and do. Arguments are values of the moment: nothing in them changes. */
import type { Envelope, EnvelopeRecipient } from '../mail/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { Continue } from './event-run.ts';
import type { MessageChanges, RecipientChanges } from './message-changes.ts';

/** The session as agents see it. */
export interface SmtpSession {
  readonly id: string;
  /** Name of the receive connector. */
  readonly connector: string;
  /** Addresses without brackets. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Argument of HELO or EHLO; '' before it. */
  readonly helo: string;
  readonly secure: boolean;
  /** The session holds ms-Exch-Bypass-Anti-Spam: filters leave it alone. */
  readonly bypassAntiSpam: boolean;
}

export interface MailCommandArgs {
  readonly session: SmtpSession;
  /** Reverse path; '' for the null sender. */
  readonly from: string;
}

export interface RcptCommandArgs extends MailCommandArgs {
  readonly recipient: EnvelopeRecipient;
  /** What becomes of the recipient: itself, unless an agent before changed it. */
  readonly recipients: readonly EnvelopeRecipient[];
}

export interface EndOfHeadersArgs {
  readonly session: SmtpSession;
  readonly envelope: Envelope;
  /** Octets of the header block with its empty line, as the agents before left it; our Received field is not in it. */
  readonly header: Buffer;
}

export interface EndOfDataArgs extends EndOfHeadersArgs {
  /** Octets of the content as received. */
  readonly size: number;
  readonly messageId: string;
  readonly subject: string;
}

/** What ends an event. `discard` stands for OnEndOfHeaders and OnEndOfData only: answered 250 and thrown away. */
export type ReceiveEnding =
  | { readonly kind: 'reject'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'disconnect'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'discard'; readonly reason: string };

/** What an agent does. */
export type AgentAction<Changes = never> = Continue<Changes> | ReceiveEnding;

/** A promise keeps the client waiting: nothing more is read from it before the answer. */
export type Handler<Args, Changes = never> = (args: Args) => AgentAction<Changes> | Promise<AgentAction<Changes>>;

/** Looks at the content of one message as it streams by. */
export interface ContentReader {
  /** Octets behind the header block. They may not be changed. A promise means: no more before it settles. */
  write(chunk: Buffer): void | Promise<void>;
  /** All was seen; asked before OnEndOfData of any agent. */
  end(args: EndOfDataArgs): AgentAction<MessageChanges> | Promise<AgentAction<MessageChanges>>;
  /** The message comes to nothing: refused, thrown away, or the client is gone. */
  abort?(): void;
}

/** An agent: it implements the events that it cares for. A handler that throws ends the session with 421. */
export interface ReceiveAgent {
  readonly name: string;
  /** Lower runs first, within one event. */
  readonly priority: number;
  readonly onConnect?: Handler<SmtpSession>;
  readonly onEhlo?: Handler<SmtpSession>;
  readonly onMail?: Handler<MailCommandArgs>;
  readonly onRcptTo?: Handler<RcptCommandArgs, RecipientChanges>;
  readonly onEndOfHeaders?: Handler<EndOfHeadersArgs, MessageChanges>;
  /** Asked behind OnEndOfHeaders: undefined when the agent does not care for this message's content. */
  readonly readContent?: (args: EndOfHeadersArgs) => ContentReader | undefined;
  readonly onEndOfData?: Handler<EndOfDataArgs, MessageChanges>;
}

/** The action that ended an event, and whose it was. */
export interface AgentDecision {
  readonly agent: string;
  readonly action: ReceiveEnding;
}
