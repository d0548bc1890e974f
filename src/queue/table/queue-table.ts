import type { NextHop } from '../model/delivery.ts';
import { DeliveryQueue, heldDue, type Item, isInternal } from './delivery-queue.ts';
import type { QueueClock } from './queue-clock.ts';
import { TimeHeap } from './time-heap.ts';

/** What the table tells the queue about; times have come. */
export interface TableEvents {
  /** The delay notification or the expiry of an item that waits. */
  deadline(item: Item): void;
  /** An item is ready again. */
  ready(item: Item): void;
  /** The end of a queue's Retry. */
  retry(queue: DeliveryQueue): void;
  /** The delivery of an item ended without a word, and an administrator wants it removed. */
  removal(item: Item): void;
}

/** Items handled in one turn of the event loop: thousands may be due at once, and sessions wait meanwhile. */
const mostPerTurn = 500;

/** All queues and the items in them, and when something of them is due: one timer for everything. */
export class QueueTable {
  readonly #clock: QueueClock;
  readonly #maxIdleMs: () => number;
  readonly #events: TableEvents;
  readonly #queues = new Map<string, DeliveryQueue>();
  readonly #items = new TimeHeap<Item>();
  readonly #rests = new TimeHeap<DeliveryQueue>();
  #number = 0;
  #timer: { readonly at: number; readonly handle: { cancel(): void } } | undefined;
  #closed = false;

  constructor(clock: QueueClock, maxIdleMs: () => number, events: TableEvents) {
    this.#clock = clock;
    this.#maxIdleMs = maxIdleMs;
    this.#events = events;
  }

  all(): IterableIterator<DeliveryQueue> {
    return this.#queues.values();
  }

  byIdentity(identity: string): DeliveryQueue | undefined {
    const wanted = identity.toLowerCase();
    for (const queue of this.#queues.values()) if (queue.identity.toLowerCase() === wanted) return queue;
    return undefined;
  }

  /** The queue of a next hop, made when it is the first to go there. */
  queueFor(hop: NextHop): DeliveryQueue {
    const known = this.#queues.get(hop.key);
    if (known !== undefined) return known;
    const queue = new DeliveryQueue(this.#identityOf(hop), hop);
    this.#queues.set(hop.key, queue);
    return queue;
  }

  /** Puts a new item into its queue, in the state that its due time asks for. */
  enter(item: Item, now: number): void {
    const { queue, due } = item;
    queue.add(item, due === heldDue ? 'suspended' : due > now ? 'deferred' : 'ready');
    queue.incoming.add(now);
    this.#schedule(item);
    // It may have been about to leave the list.
    if (queue.size === 1) this.restQueue(queue);
  }

  /** It is handed to a connection. */
  activate(item: Item): void {
    item.queue.move(item, 'active');
  }

  /** A connection gave it back unharmed: it is the next to go. */
  giveBack(item: Item): void {
    if (item.state === 'removing' || item.state === 'removing-with-report') return this.#events.removal(item);
    const held = item.state === 'suspending';
    item.due = held ? heldDue : 0;
    item.queue.move(item, held ? 'suspended' : 'ready', true);
    this.#schedule(item);
  }

  /** It waits until then. */
  defer(item: Item, due: number): void {
    item.due = due;
    item.queue.move(item, due === heldDue ? 'suspended' : 'deferred');
    this.#schedule(item);
  }

  /** It need not wait any longer. */
  release(item: Item): void {
    item.due = 0;
    item.queue.move(item, 'ready');
    this.#schedule(item);
    this.#events.ready(item);
  }

  /** It leaves its queue for good. */
  drop(item: Item): void {
    this.#items.delete(item);
    item.queue.remove(item);
    this.restQueue(item.queue);
  }

  /** It goes where nothing is delivered. */
  setAside(item: Item, hop: NextHop, reason: string): void {
    const { queue: left } = item;
    left.remove(item);
    const queue = this.queueFor(hop);
    queue.lastError = reason;
    queue.add(item, 'suspended');
    this.#items.delete(item);
    this.restQueue(left);
  }

  /** Its deadline has another time now. */
  reschedule(item: Item): void {
    this.#schedule(item);
  }

  /** The queue is heard of again then. */
  wakeQueue(queue: DeliveryQueue, at: number): void {
    this.#rests.set(queue, at);
    this.#arm();
  }

  /** An empty queue goes after its idle time; one that has something to do stays. */
  restQueue(queue: DeliveryQueue): void {
    if (isIdle(queue)) return this.wakeQueue(queue, this.#clock.now() + this.#maxIdleMs());
    if (queue.retryAt > 0) return this.wakeQueue(queue, queue.retryAt);
    this.#rests.delete(queue);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.handle.cancel();
  }

  #identityOf(hop: NextHop): string {
    if (isInternal(hop)) return hop.key;
    return hop.type === 'Unreachable' ? 'Unreachable' : String(++this.#number);
  }

  #schedule(item: Item): void {
    if (item.state === 'suspended') return this.#items.delete(item);
    this.#items.set(item, item.state === 'deferred' ? Math.min(item.due, item.deadline) : item.deadline);
    this.#arm();
  }

  #arm(): void {
    const at = Math.min(this.#items.earliest, this.#rests.earliest);
    if (this.#closed || at === Number.POSITIVE_INFINITY || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.handle.cancel();
    const delay = Math.max(0, at - this.#clock.now());
    this.#timer = { at, handle: this.#clock.after(delay, () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let queue = this.#rests.take(now); queue !== undefined; queue = this.#rests.take(now))
      this.#rested(queue, now);
    for (let i = 0; i < mostPerTurn; i++) {
      const item = this.#items.take(now);
      if (item === undefined) break;
      this.#due(item, now);
    }
    // What is left is due already: it comes with the next turn of the event loop.
    this.#arm();
  }

  #rested(queue: DeliveryQueue, now: number): void {
    // Also one in Retry: there is nothing to try.
    if (isIdle(queue)) this.#queues.delete(queue.hop.key);
    else if (queue.retryAt > 0 && queue.retryAt <= now) this.#events.retry(queue);
  }

  #due(item: Item, now: number): void {
    // What is in delivery is looked at when it comes back.
    if (item.isActive || item.state === 'ended') return;
    if (item.deadline <= now) this.#events.deadline(item);
    else if (item.state === 'deferred') this.release(item);
  }
}

/** Nothing waits in it or is under way, and no administrator holds it. */
function isIdle(queue: DeliveryQueue): boolean {
  return queue.size === 0 && queue.connections.size === 0 && !queue.suspended;
}
