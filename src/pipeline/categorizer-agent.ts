/** What an agent of the categorizer may see and do. Arguments are values of the moment: nothing in them changes. */
import type { Envelope } from '../mail/index.ts';
import type { Reply } from '../smtp/index.ts';
import type { EventHandler } from './event-run.ts';
import type { MessageChanges } from './message-changes.ts';

/** Where some recipients go. */
export interface Route {
  readonly addresses: readonly string[];
  /** Name of the send connector; '' when none is involved. */
  readonly connector: string;
  /** NextHopDomain as Exchange shows it. */
  readonly nextHop: string;
}

/** A message of the Submission queue. It is on the disk: whatever agents do, it is not lost. */
export interface QueuedMessageArgs {
  /** Internal message id, and network message id. */
  readonly id: number;
  readonly guid: string;
  /** Session that brought it; '' for a report made here. */
  readonly session: string;
  /** Receive connector, or 'DSN'. */
  readonly connector: string;
  readonly remoteAddress: string;
  readonly envelope: Envelope;
  /** Octets of the header block with its empty line, as the agents before left it, without the trace field of this server. */
  readonly header: Buffer;
  /** Octets of the message. */
  readonly size: number;
  /** The content behind the header block, in chunks. */
  body(): AsyncIterable<Buffer>;
  /** Empty before OnRoutedMessage. */
  readonly routes: readonly Route[];
  /** Aborted when the time that agents have is over, or the service stops. */
  readonly signal: AbortSignal;
}

/** What ends the way of the message. */
export type CategorizerEnding =
  /** Every recipient fails with this reply; the sender gets a report. */
  | { readonly kind: 'reject'; readonly reply: Reply; readonly reason: string }
  /** The agents are asked again, from the first event on, after this time in milliseconds. */
  | { readonly kind: 'defer'; readonly afterMs: number; readonly reason: string }
  /** Removed without a word to the sender. */
  | { readonly kind: 'discard'; readonly reason: string };

type CategorizerHandler = EventHandler<QueuedMessageArgs, MessageChanges, CategorizerEnding>;

/**
 * An agent of the categorizer. It is asked about a message at least once, before anybody tries to deliver it: again when the process
 * ended before its changes were on the disk, and when one of the agents failed or deferred it. A handler that throws defers it.
 */
export interface CategorizerAgent {
  readonly name: string;
  /** Lower runs first, within one event. */
  readonly priority: number;
  readonly onSubmittedMessage?: CategorizerHandler;
  /** Nothing is resolved on an Edge: it follows at once. */
  readonly onResolvedMessage?: CategorizerHandler;
  readonly onRoutedMessage?: CategorizerHandler;
  readonly onCategorizedMessage?: CategorizerHandler;
}
