import type { StoredMessage } from '../model/contract.ts';
import type { DeliveryItem, NextHop } from '../model/delivery.ts';
import type { Mail } from '../model/mail.ts';
import type { QueueStatus, QueueView } from '../model/views.ts';
import { LinkedList } from './linked-list.ts';
import type { QueueClock } from './queue-clock.ts';
import { RateMeter } from './rate-meter.ts';

/**
 * 'suspending', 'removing' and 'removing-with-report' are active items with an order of the administrator that is obeyed when
 * the delivery under way has ended.
 */
export type ItemState =
  | 'ready'
  | 'deferred'
  | 'suspended'
  | 'active'
  | 'suspending'
  | 'removing'
  | 'removing-with-report'
  | 'ended';

/** `due` of recipients that an administrator has suspended: they stay so over a restart. */
export const heldDue = Number.MAX_SAFE_INTEGER;

/** The recipients of one message that go to one next hop. */
export class Item {
  readonly mail: Mail;
  queue: DeliveryQueue;
  /** Indexes into the envelope's recipients. */
  recipients: readonly number[];
  state: ItemState = 'ready';
  /** Not before, when deferred; queue time. */
  due: number;
  /** The delay notification, or the expiry, is due; queue time. */
  deadline: number;
  /** Place in the heap of times. */
  slot = -1;
  previous: Item | undefined = undefined;
  next: Item | undefined = undefined;

  constructor(mail: Mail, queue: DeliveryQueue, recipients: readonly number[], due: number, deadline: number) {
    this.mail = mail;
    this.queue = queue;
    this.recipients = recipients;
    this.due = due;
    this.deadline = deadline;
  }

  /** A connection has it. */
  get isActive(): boolean {
    return this.state === 'active' || this.state.startsWith('suspending') || this.state.startsWith('removing');
  }
}

/** A connection as its queue, and who fills it, see it. */
export interface QueueConnection {
  readonly queue: DeliveryQueue;
  /** It was set up far enough to ask for work. */
  readonly hasAsked: boolean;
  /** What it has in hand. */
  readonly taken: Iterable<{ readonly item: Item }>;
  /** Hands out an item under this connection's name. */
  hand(item: Item, message: StoredMessage, content: Buffer | undefined): DeliveryItem;
  /** Ends the wait with work, or without any. */
  wake(delivery: DeliveryItem | undefined): void;
  /** Tells what works for it to end, whatever it is at. */
  cut(): void;
  /** Nothing more is handed out; what was left unsettled goes back. */
  end(): void;
}

/** Messages for one next hop, and how it goes with it. */
export class DeliveryQueue {
  readonly identity: string;
  readonly hop: NextHop;
  /** In the order in which they are handed out. */
  readonly ready = new LinkedList<Item>();
  /** Active, deferred and suspended ones. */
  readonly others = new LinkedList<Item>();
  readonly connections = new Set<QueueConnection>();
  /** Connections that wait for work, the one that had some last at the end. */
  readonly idle: QueueConnection[] = [];
  readonly incoming = new RateMeter();
  readonly outgoing = new RateMeter();
  deferred = 0;
  suspended = false;
  /** Connection failures in a row. */
  failures = 0;
  /** Connections in a row that took messages and settled none. */
  fruitless = 0;
  lastError = '';
  /** Queue time, as the following ones. */
  firstRetryTime = 0;
  lastRetryTime = 0;
  /** In Retry until then; 0: not in Retry. */
  retryAt = 0;
  /** The next hop refused more connections than this, until `ceilingUntil`. */
  ceiling = Number.POSITIVE_INFINITY;
  ceilingUntil = 0;
  /** The configuration has changed since the messages were routed. */
  stale = false;
  /** Place in the heap of times. */
  slot = -1;

  constructor(identity: string, hop: NextHop) {
    this.identity = identity;
    this.hop = hop;
  }

  get size(): number {
    return this.ready.size + this.others.size;
  }

  /** Connections are made at all: not for what cannot be reached or was set aside. */
  get delivers(): boolean {
    return this.hop.type !== 'Unreachable';
  }

  get status(): QueueStatus {
    if (this.suspended) return 'Suspended';
    if (this.retryAt > 0) return 'Retry';
    if (this.connections.size === 0) return 'Ready';
    for (const connection of this.connections) if (connection.hasAsked) return 'Active';
    return 'Connecting';
  }

  /** Puts an item of this queue into the list that its state belongs to. */
  add(item: Item, state: ItemState, atFront = false): void {
    item.queue = this;
    item.state = state;
    if (state === 'deferred') this.deferred += 1;
    if (state !== 'ready') this.others.push(item);
    else if (atFront) this.ready.unshift(item);
    else this.ready.push(item);
  }

  remove(item: Item): void {
    if (item.state === 'deferred') this.deferred -= 1;
    if (item.state === 'ready') this.ready.remove(item);
    else this.others.remove(item);
    item.state = 'ended';
  }

  move(item: Item, state: ItemState, atFront = false): void {
    this.remove(item);
    this.add(item, state, atFront);
  }

  /** Ready ones first. */
  *items(): Generator<Item, void> {
    yield* this.ready;
    yield* this.others;
  }

  view(clock: QueueClock): QueueView {
    const now = clock.now();
    const incomingRate = this.incoming.perSecond(now);
    const outgoingRate = this.outgoing.perSecond(now);
    return {
      identity: this.identity,
      deliveryType: isInternal(this.hop) ? 'Undefined' : this.hop.type,
      status: this.status,
      messageCount: this.size,
      deferredMessageCount: this.deferred,
      nextHopDomain: this.hop.domain,
      nextHopConnector: this.hop.connector,
      lastError: this.lastError,
      retryCount: this.failures,
      firstRetryTime: clock.toWall(this.firstRetryTime),
      lastRetryTime: clock.toWall(this.lastRetryTime),
      nextRetryTime: clock.toWall(this.retryAt),
      incomingRate,
      outgoingRate,
      velocity: outgoingRate - incomingRate,
      connections: this.connections.size,
      ...(isInternal(this.hop) ? {} : { hop: this.hop }),
    };
  }
}

/** Where messages are set aside that seem to break the process. Nothing leaves it but by an administrator. */
export const poisonHop: NextHop = { key: 'Poison', type: 'Unreachable', domain: 'Poison Message', connector: '' };

/** Where messages wait for the agents of the categorizer. */
export const submissionHop: NextHop = {
  key: 'Submission',
  type: 'Unreachable',
  domain: 'Submission',
  connector: '',
};

/** It leads nowhere and has nothing to do with routing: what is in it is not routed again when the configuration changes. */
export function isInternal({ key }: NextHop): boolean {
  return key === poisonHop.key || key === submissionHop.key;
}
