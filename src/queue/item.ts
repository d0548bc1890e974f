/** What the scheduler keeps of each message: small, because there may be a million. Everything else is in the spool. */
import type { StoredMessage } from './contract.ts';
import type { DeliveryQueue } from './delivery-queue.ts';

/** A message whose record, and perhaps content, is at hand. */
export interface HotMessage {
  /** With the newest recipient states, durable or not. */
  readonly message: StoredMessage;
  readonly content: Buffer | undefined;
}

/** One message. */
export class Mail {
  readonly id: number;
  /** Items and reports that are not done. When none is left, the message leaves the spool. */
  open = 0;
  /** Undefined: only in the spool. */
  hot: HotMessage | undefined;
  /** After it the pending recipients fail; queue time. */
  readonly expiresAt: number;

  constructor(id: number, expiresAt: number) {
    this.id = id;
    this.expiresAt = expiresAt;
    this.hot = undefined;
  }
}

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

/** Items in order, linked through themselves. An item is in one list at most. */
export class ItemList {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Item | undefined {
    return this.#first;
  }

  push(item: Item): void {
    item.previous = this.#last;
    item.next = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  unshift(item: Item): void {
    item.previous = undefined;
    item.next = this.#first;
    if (this.#first === undefined) this.#last = item;
    else this.#first.previous = item;
    this.#first = item;
    this.#size += 1;
  }

  remove(item: Item): void {
    if (item.previous === undefined) this.#first = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#last = item.previous;
    else item.next.previous = item.previous;
    item.previous = undefined;
    item.next = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<Item, void> {
    for (let item = this.#first; item !== undefined; ) {
      // The reader may take the item out.
      const { next } = item;
      yield item;
      item = next;
    }
  }
}
