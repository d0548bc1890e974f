/** What an agent of the receiving side may see and say. Contexts are values of the moment: nothing in them changes. */
import type { Envelope, EnvelopeRecipient } from '../mail/index.ts';
import type { Reply } from '../smtp/index.ts';

/** The session as agents see it. */
export interface SessionFacts {
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

export interface SenderFacts {
  readonly session: SessionFacts;
  /** Reverse path; '' for the null sender. */
  readonly from: string;
}

export interface RecipientFacts extends SenderFacts {
  readonly recipient: EnvelopeRecipient;
}

export interface HeaderBlockFacts {
  readonly session: SessionFacts;
  readonly envelope: Envelope;
  /** Octets of the header block as received, with its empty line. */
  readonly header: Buffer;
}

export interface MessageFacts extends HeaderBlockFacts {
  /** Octets of the content as received. */
  readonly size: number;
  readonly messageId: string;
  readonly subject: string;
}

/** What an agent decides. `discard` stands for OnEndOfHeaders and OnEndOfData only: answered 250 and thrown away. */
export type Verdict =
  | { readonly kind: 'continue' }
  | { readonly kind: 'reject'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'disconnect'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'discard'; readonly reason: string };

type Handler<Context> = (context: Context) => Verdict | Promise<Verdict>;

/** An agent: it implements the events that it cares for. A handler that throws ends the session with 421. */
export interface ReceiveAgent {
  readonly name: string;
  /** Lower runs first, within one event. */
  readonly priority: number;
  readonly onConnect?: Handler<SessionFacts>;
  readonly onEhlo?: Handler<SessionFacts>;
  readonly onMail?: Handler<SenderFacts>;
  readonly onRcptTo?: Handler<RecipientFacts>;
  readonly onEndOfHeaders?: Handler<HeaderBlockFacts>;
  readonly onEndOfData?: Handler<MessageFacts>;
}

/** The verdict that ended an event, and whose it was. */
export interface Judgement {
  readonly agent: string;
  readonly verdict: Exclude<Verdict, { kind: 'continue' }>;
}
