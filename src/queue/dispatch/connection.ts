import { type BlockPool, type Clock, MovingLimit } from '../../base/index.ts';
import type { Spool, StoredMessage } from '../model/contract.ts';
import type { DeliveryItem, DeliveryWork, NextHop, RecipientOutcome } from '../model/delivery.ts';
import type { DeliveryQueue, Item, QueueConnection } from '../table/delivery-queue.ts';

/** What a connection asks of the dispatcher. */
export interface ConnectionHost {
  readonly spool: Spool;
  /** The next item for this connection; undefined: none now. */
  take(connection: QueueConnection): DeliveryItem | undefined;
  /** False: the connection shall end rather than wait. */
  mayWait(connection: QueueConnection): boolean;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  settled(delivery: Delivery, outcomes: readonly RecipientOutcome[], remote: string): void;
  released(delivery: Delivery): void;
}

/** One connection's view of its queue. */
export class Connection implements DeliveryWork, QueueConnection {
  readonly queue: DeliveryQueue;
  readonly #cut = new AbortController();
  readonly #host: ConnectionHost;
  readonly #taken = new Set<Delivery>();
  #waiting: ((delivery: DeliveryItem | undefined) => void) | undefined;
  readonly #limit: MovingLimit;
  #ended = false;
  /** It was set up far enough to ask for work. */
  hasAsked = false;
  /** Items settled, and items given back. */
  settled = 0;
  released = 0;

  constructor(queue: DeliveryQueue, host: ConnectionHost) {
    this.queue = queue;
    this.#host = host;
    this.#limit = new MovingLimit(host.clock, () => this.wake(undefined));
  }

  /** Aborted when it is to end, whatever it is at. */
  get signal(): AbortSignal {
    return this.#cut.signal;
  }

  cut(): void {
    this.#cut.abort();
  }

  get hop(): NextHop {
    return this.queue.hop;
  }

  /** It has work in hand. */
  get isBusy(): boolean {
    return this.#taken.size > 0;
  }

  get taken(): ReadonlySet<Delivery> {
    return this.#taken;
  }

  next(idleMs: number): DeliveryItem | Promise<DeliveryItem | undefined> | undefined {
    this.hasAsked = true;
    if (this.#ended || this.signal.aborted || this.#waiting !== undefined) return undefined;
    const delivery = this.#host.take(this);
    if (delivery !== undefined || idleMs <= 0 || !this.#host.mayWait(this)) return delivery;
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.queue.idle.push(this);
      this.#limit.set(idleMs);
    });
  }

  wake(delivery: DeliveryItem | undefined): void {
    const resolve = this.#waiting;
    if (resolve === undefined) return;
    this.#waiting = undefined;
    this.#limit.clear();
    const { idle } = this.queue;
    if (idle.at(-1) === this) idle.pop();
    else idle.splice(idle.indexOf(this), 1);
    resolve(delivery);
  }

  hand(item: Item, message: StoredMessage, content: Buffer | undefined): Delivery {
    const delivery = new Delivery(item, message, content, this, this.#host);
    this.#taken.add(delivery);
    return delivery;
  }

  done(delivery: Delivery): void {
    this.#taken.delete(delivery);
  }

  end(): void {
    this.#ended = true;
    this.wake(undefined);
    this.#limit[Symbol.dispose]();
    for (const delivery of this.#taken) delivery.revoke();
  }
}

/** An item in the hands of a connection. */
export class Delivery implements DeliveryItem {
  readonly item: Item;
  readonly connection: Connection;
  readonly message: StoredMessage;
  readonly recipients: readonly number[];
  readonly #host: ConnectionHost;
  #content: Buffer | undefined;
  #state: 'open' | 'done' | 'revoked' = 'open';

  constructor(
    item: Item,
    message: StoredMessage,
    content: Buffer | undefined,
    connection: Connection,
    host: ConnectionHost,
  ) {
    this.item = item;
    this.message = message;
    this.recipients = item.recipients;
    this.connection = connection;
    this.#content = content;
    this.#host = host;
  }

  content(): Buffer | undefined {
    this.#content ??= this.#host.spool.content(this.message.id);
    return this.#content;
  }

  stream(start = 0, blocks?: BlockPool): AsyncIterable<Buffer> {
    return this.#host.spool.stream(this.message.id, start, blocks);
  }

  settle(outcomes: readonly RecipientOutcome[], remote: string): void {
    if (outcomes.length !== this.recipients.length) {
      throw new RangeError(`message ${this.message.id}: ${outcomes.length} outcomes of ${this.recipients.length}`);
    }
    if (this.#close()) this.#host.settled(this, outcomes, remote);
  }

  release(): void {
    if (this.#close()) this.#host.released(this);
  }

  /** The connection has ended without a word about the item. */
  revoke(): void {
    if (this.#state !== 'open') return;
    this.release();
    this.#state = 'revoked';
  }

  /** A word that comes after the connection's end is not heard: another one may have the item. */
  #close(): boolean {
    if (this.#state === 'done') throw new Error(`message ${this.message.id} was settled or given back already`);
    if (this.#state === 'revoked') return false;
    this.#state = 'done';
    this.connection.done(this);
    return true;
  }
}
