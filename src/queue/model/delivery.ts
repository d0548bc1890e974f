/** What the queue asks of the rooms behind it. They are handed in by `main.ts`; the queue calls, nobody calls back. */
import type { BlockPool } from '../../base/index.ts';
import type { ReplyPhase, ReportedRecipient } from '../../mail/index.ts';
import type { Revision, StoredMessage } from './contract.ts';

/** Exchange's DeliveryType of a queue. */
export type DeliveryType =
  | 'SmartHostConnectorDelivery'
  | 'DnsConnectorDelivery'
  | 'SmtpDeliveryToMailbox'
  | 'Unreachable';

/** Where a delivery queue leads. One queue exists for each `key`. */
export interface NextHop {
  /** Type, domain and connector joined: the same next hop always has the same key. */
  readonly key: string;
  readonly type: DeliveryType;
  /** NextHopDomain as Exchange shows it: the recipient domain, or the smart hosts. */
  readonly domain: string;
  /** Name of the send connector; '' when none is involved. */
  readonly connector: string;
  /** What the messages themselves say of TLS (RFC 8689): those that do have a queue of their own. */
  readonly tls?: 'required' | 'optional';
}

/** Result of routing: every pending recipient stands in exactly one place. */
export interface RoutePlan {
  readonly hops: readonly {
    readonly hop: NextHop;
    readonly recipients: readonly number[];
    /** Why they wait there without being tried (Unreachable), as a reply: their LastError. */
    readonly reason?: string;
  }[];
  readonly failed: readonly { readonly recipient: number; readonly reply: string }[];
}

/** What agents made of a message. */
export type Categorized =
  | { readonly kind: 'go'; readonly revision?: Omit<Revision, 'recipients'> }
  /** Its recipients fail with this reply, one line. */
  | { readonly kind: 'failed'; readonly reply: string }
  /** It is categorized again after this time, in milliseconds. */
  | { readonly kind: 'deferred'; readonly afterMs: number; readonly reason: string }
  | { readonly kind: 'discarded' };

/** The categorizer. */
export interface Router {
  /** Pure: the same message and configuration give the same plan. */
  route(message: StoredMessage, pending: readonly number[]): RoutePlan;
  /**
   * Asks the agents about a message that nobody has tried to deliver yet, before it is routed; it waits in the Submission queue
   * meanwhile. Absent: there are none, and a message is routed at once. Rejects when an agent fails.
   */
  readonly categorize?: ((message: StoredMessage, signal: AbortSignal) => Promise<Categorized>) | undefined;
}

/** What became of one recipient in one attempt. */
export type RecipientOutcome =
  | { readonly kind: 'delivered'; readonly reply: string }
  /** Accepted by a host that offers no DSN: a 'relayed' report is owed if SUCCESS was asked for (RFC 3461 §5.2.2). */
  | { readonly kind: 'relayed'; readonly reply: string }
  | { readonly kind: 'deferred'; readonly reply: string; readonly phase?: ReplyPhase }
  | { readonly kind: 'failed'; readonly reply: string; readonly phase?: ReplyPhase };

/** One message with the recipients that go to this next hop. */
export interface DeliveryItem {
  readonly message: StoredMessage;
  /** Indexes into message.envelope.recipients. */
  readonly recipients: readonly number[];
  /** Small messages: at once, from memory or the store. */
  content(): Buffer | undefined;
  /** As `Spool.stream`. */
  stream(start?: number, blocks?: BlockPool): AsyncIterable<Buffer>;
  /**
   * Settles every recipient of the item, once, in the order of `recipients`. `remote` is 'host [ip]:port' for reports.
   * The item is durable in its new state, or deleted, some time after.
   */
  settle(outcomes: readonly RecipientOutcome[], remote: string): void;
  /** Gives the item back unharmed (connection limit reached, shutdown): no attempt is counted. */
  release(): void;
}

/** How a connection ended, for the state of the queue. */
export type ConnectionResult =
  | { readonly kind: 'done' }
  /** No connection, or lost before it carried anything: the queue goes to Retry. `reply` says why, one line. */
  | { readonly kind: 'failed'; readonly reply: string };

/** Work that the queue hands to one connection. */
export interface DeliveryWork {
  readonly hop: NextHop;
  /** The next item at once, or waits up to idleMs for one; undefined: end the connection. */
  next(idleMs: number): DeliveryItem | Promise<DeliveryItem | undefined> | undefined;
  readonly signal: AbortSignal;
}

/** smtp-send and mailbox-transport: each call is one connection, from connect to quit. Never rejects for a peer's fault. */
export interface Deliverer {
  deliver(work: DeliveryWork): Promise<ConnectionResult>;
}

/** What a report tells its reader about (RFC 3464 §2.3.3 Action). */
export interface NotificationRequest {
  readonly kind: 'failed' | 'delayed' | 'delivered' | 'relayed';
  readonly message: StoredMessage;
  readonly recipients: readonly ReportedRecipient[];
}

/** Writes delivery status notifications. It resolves when the report is in the spool (or when none is due). */
export interface Notifier {
  notify(request: NotificationRequest): Promise<void>;
}

/** Settings of the transport service object that the queue obeys; all times in seconds. */
export interface QueueSettings {
  readonly queueGlitchRetryCount: number;
  readonly queueGlitchRetryInterval: number;
  readonly transientFailureRetryCount: number;
  readonly transientFailureRetryInterval: number;
  readonly outboundConnectionFailureRetryInterval: number;
  readonly messageRetryInterval: number;
  readonly delayNotificationTimeout: number;
  readonly messageExpirationTimeout: number;
  readonly queueMaxIdleTime: number;
  /** A message that was in delivery so often when the process broke down is set aside. */
  readonly poisonThreshold: number;
  /** Infinity: unlimited. Already this worker's share. */
  readonly maxOutboundConnections: number;
  readonly maxPerDomainOutboundConnections: number;
}
