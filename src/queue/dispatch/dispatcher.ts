import type { FaultReport } from '../../base/index.ts';
import type { Journal } from '../../logs/index.ts';
import type { Spool, StoredMessage } from '../model/contract.ts';
import type { ConnectionResult, Deliverer, DeliveryItem, DeliveryType, QueueSettings } from '../model/delivery.ts';
import type { Ledger } from '../settlement/ledger.ts';
import type { PoisonDetection } from '../settlement/poison-detection.ts';
import type { DeliveryQueue, Item, QueueConnection } from '../table/delivery-queue.ts';
import type { QueueClock } from '../table/queue-clock.ts';
import type { QueueTable } from '../table/queue-table.ts';
import { Connection, type ConnectionHost, type Delivery } from './connection.ts';
import { loadItem } from './load-item.ts';
import { retryDelayMs } from './retry-plan.ts';

/** Ready items for which one connection that is being set up is enough: a trickle does not open one for each message. */
const itemsPerOpening = 4;
/** Connections in a row that settle nothing of what waits before the queue goes to Retry. */
const mostFruitless = 3;
/** A suspect waits for another one so long, in milliseconds. */
const accusedWaitMs = 1_000;

export interface DispatcherParts {
  readonly spool: Spool;
  readonly deliverers: (type: DeliveryType) => Deliverer;
  readonly settings: () => QueueSettings;
  readonly journal: Journal;
  readonly clock: QueueClock;
  readonly table: QueueTable;
  readonly ledger: Ledger;
  readonly poison: PoisonDetection;
  readonly faults: FaultReport;
}

/** What the dispatcher leaves to others. */
export interface DispatchEvents {
  settled: ConnectionHost['settled'];
  /** The time of the message has run out before it was handed out. */
  expired(item: Item, message: StoredMessage): void;
  /** No connection is left and the configuration has changed since: routes the queue again, then dispatches it. */
  stale(queue: DeliveryQueue): void;
}

/** Hands ready items to connections, opens connections within the limits, and sends queues into Retry. */
export class Dispatcher implements ConnectionHost {
  readonly #parts: DispatcherParts;
  readonly #events: DispatchEvents;
  readonly #running = new Set<Promise<void>>();
  /** Queues that would open a connection if the server's limit let them. */
  readonly #starved = new Set<DeliveryQueue>();
  #connections = 0;
  #closing = false;

  constructor(parts: DispatcherParts, events: DispatchEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  get spool(): Spool {
    return this.#parts.spool;
  }

  /** Something became ready, or a limit fell: wakes idle connections first, then opens new ones. */
  dispatch(queue: DeliveryQueue): void {
    if (!this.#mayDeliver(queue)) return;
    for (let idle = queue.idle.at(-1); idle !== undefined && queue.ready.size > 0; idle = queue.idle.at(-1)) {
      const delivery = this.take(idle);
      if (delivery === undefined) break;
      idle.wake(delivery);
    }
    while (queue.idle.length === 0 && this.#wantsConnection(queue)) {
      if (this.#connections >= this.#parts.settings().maxOutboundConnections) {
        this.#starved.add(queue);
        this.#endIdleElsewhere(queue);
        return;
      }
      this.#open(queue);
    }
  }

  take(connection: QueueConnection): DeliveryItem | undefined {
    const { queue } = connection;
    const { table, clock } = this.#parts;
    while (this.#mayDeliver(queue)) {
      const item = queue.ready.first;
      if (item === undefined) return undefined;
      const now = clock.now();
      const message = loadItem(item, this.#parts);
      if (message === undefined || this.#mustWait(item, now)) continue;
      table.activate(item);
      if (now >= item.mail.expiresAt) {
        this.#events.expired(item, message);
        continue;
      }
      this.#parts.poison.begin(item.mail.id);
      return connection.hand(item, message, item.mail.hot?.content);
    }
    return undefined;
  }

  mayWait(connection: QueueConnection): boolean {
    // Its place is wanted by a queue that has work.
    return this.#mayDeliver(connection.queue) && this.#starved.size === 0;
  }

  get clock(): QueueClock {
    return this.#parts.clock;
  }

  settled(delivery: Delivery, outcomes: Parameters<ConnectionHost['settled']>[1], remote: string): void {
    const { queue } = delivery.connection;
    delivery.connection.settled += 1;
    queue.fruitless = 0;
    this.#parts.poison.end(delivery.item.mail.id);
    if (queue.failures > 0) this.#recovered(queue);
    this.#events.settled(delivery, outcomes, remote);
  }

  released(delivery: Delivery): void {
    const { item, connection } = delivery;
    connection.released += 1;
    this.#parts.poison.end(item.mail.id, false);
    this.#parts.table.giveBack(item);
    // Not while the connection that gave it back still runs: it must not get it again at once.
    if (item.state === 'ready') queueMicrotask(() => this.dispatch(item.queue));
  }

  /** The administrator, or the time, wants another attempt now. */
  retry(queue: DeliveryQueue): void {
    queue.retryAt = 0;
    queue.ceiling = Number.POSITIVE_INFINITY;
    this.#parts.table.restQueue(queue);
    this.dispatch(queue);
  }

  /** Ends connections that only wait. */
  endIdle(queue: DeliveryQueue): void {
    for (const connection of [...queue.idle]) connection.wake(undefined);
  }

  /** Hands out nothing more, and waits for what is under way; when `signal` aborts, cuts it short. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    const queues = [...this.#parts.table.all()];
    const connections = (): QueueConnection[] => queues.flatMap((queue) => [...queue.connections]);
    for (const queue of queues) this.endIdle(queue);
    // One that is still being set up carries nothing that could be finished: nobody waits for its name servers.
    for (const connection of connections()) if (!connection.hasAsked) connection.cut();
    const late = Promise.withResolvers<void>();
    const cut = (): void => {
      for (const connection of connections()) connection.cut();
      this.clock.after(lastWordMs, late.resolve);
    };
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    await Promise.race([Promise.all(this.#running), late.promise]);
    signal.removeEventListener('abort', cut);
    for (const connection of connections()) connection.end();
  }

  #mayDeliver(queue: DeliveryQueue): boolean {
    return !this.#closing && !queue.suspended && queue.retryAt === 0 && queue.delivers;
  }

  #wantsConnection(queue: DeliveryQueue): boolean {
    if (queue.ready.size === 0) return false;
    const { size } = queue.connections;
    if (size === 0) return true;
    // One connection finds out whether the next hop is back.
    if (queue.failures > 0 || size >= this.#limitOf(queue)) return false;
    let covered = 0;
    for (const connection of queue.connections) covered += connection.hasAsked ? 1 : itemsPerOpening;
    return queue.ready.size > covered;
  }

  #limitOf(queue: DeliveryQueue): number {
    if (queue.ceilingUntil <= this.#parts.clock.now()) queue.ceiling = Number.POSITIVE_INFINITY;
    return Math.min(this.#parts.settings().maxPerDomainOutboundConnections, queue.ceiling);
  }

  #open(queue: DeliveryQueue): void {
    const connection = new Connection(queue, this);
    queue.connections.add(connection);
    queue.lastRetryTime = this.#parts.clock.now();
    this.#connections += 1;
    const running = this.#run(connection).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Never rejects. */
  async #run(connection: Connection): Promise<void> {
    const { queue } = connection;
    let result: ConnectionResult;
    try {
      result = await this.#parts.deliverers(queue.hop.type).deliver(connection);
    } catch (error) {
      const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      result = { kind: 'failed', reply: `451 4.3.0 The delivery broke down: ${words}` };
    }
    queue.connections.delete(connection);
    this.#connections -= 1;
    connection.end();
    if (this.#closing) return;
    this.#planOutcomes(connection, result);
    this.#feedStarved();
    if (queue.stale && queue.connections.size === 0) this.#events.stale(queue);
    else this.dispatch(queue);
    this.#parts.table.restQueue(queue);
  }

  #planOutcomes(connection: Connection, result: ConnectionResult): void {
    const { queue } = connection;
    if (result.kind === 'failed') return this.#failed(queue, result.reply);
    if (connection.settled > 0) return;
    if (queue.ready.size === 0 && connection.released === 0) {
      // It was opened, and others had done the work.
      if (connection.hasAsked && queue.failures > 0) this.#recovered(queue);
      return;
    }
    queue.fruitless += 1;
    if (queue.fruitless < mostFruitless) return;
    queue.fruitless = 0;
    this.#failed(queue, '451 4.4.0 Connections end without taking any message');
  }

  #failed(queue: DeliveryQueue, reply: string): void {
    const { clock, settings, journal, table } = this.#parts;
    const now = clock.now();
    queue.lastError = reply;
    // Already counted: the connections of one attempt fail together.
    if (queue.retryAt > 0) return;
    const inForce = settings();
    if (queue.connections.size > 0) {
      // Others work, or may still get through: no new one in the place of this, which would be refused in its turn.
      queue.ceiling = queue.connections.size;
      queue.ceilingUntil = now + inForce.queueGlitchRetryInterval * 1_000;
      return;
    }
    queue.failures += 1;
    if (queue.failures === 1) queue.firstRetryTime = now;
    queue.retryAt = now + retryDelayMs(queue.failures, inForce);
    table.wakeQueue(queue, queue.retryAt);
    journal.emit({
      kind: 'queue-state',
      at: clock.wall(),
      session: '',
      message: 0,
      hop: queue.hop.key,
      status: 'Retry',
      reason: reply,
      retryAt: clock.toWall(queue.retryAt),
    });
  }

  #recovered(queue: DeliveryQueue): void {
    const { clock, journal } = this.#parts;
    queue.failures = 0;
    queue.firstRetryTime = 0;
    queue.lastError = '';
    const at = clock.wall();
    journal.emit({
      kind: 'queue-state',
      at,
      session: '',
      message: 0,
      hop: queue.hop.key,
      status: 'Active',
      reason: 'the next hop answers again',
      retryAt: 0,
    });
    queueMicrotask(() => this.dispatch(queue));
  }

  /** A place is free: the queues that waited for one come first, in turn. */
  #feedStarved(): void {
    for (const queue of [...this.#starved]) {
      if (this.#connections >= this.#parts.settings().maxOutboundConnections) return;
      this.#starved.delete(queue);
      this.dispatch(queue);
    }
  }

  #endIdleElsewhere(queue: DeliveryQueue): void {
    for (const other of this.#parts.table.all()) {
      const [oldest] = other.idle;
      if (other !== queue && oldest !== undefined) return oldest.wake(undefined);
    }
  }

  /** Of the messages that may have broken the process, one at a time is in delivery: so the one that does is found. */
  #mustWait(item: Item, now: number): boolean {
    if (!this.#parts.poison.mustWait(item.mail.id)) return false;
    this.#parts.table.defer(item, now + accusedWaitMs);
    return true;
  }
}

/** After the abort, connections get so long to say what became of their messages, in milliseconds. */
const lastWordMs = 5_000;
