import { type Clock, type FaultReport, unreported } from '../base/index.ts';
import type { Journal } from '../logs/index.ts';
import { type Reply, replies } from '../smtp/index.ts';
import type { Delivery } from './connection.ts';
import { type MessageWriter, type Spool, SpoolError, type StoredMessage } from './contract.ts';
import type {
  Deliverer,
  DeliveryType,
  NextHop,
  Notifier,
  QueueSettings,
  RecipientOutcome,
  Router,
} from './delivery.ts';
import { heldDue, type Item, poisonHop, submissionHop } from './delivery-queue.ts';
import { Dispatcher } from './dispatcher.ts';
import { Enqueuer } from './enqueuer.ts';
import { Ledger } from './ledger.ts';
import type { Mail } from './mail.ts';
import { MailCache } from './mail-cache.ts';
import { damagedView, statusOf, submissionView, viewOf } from './message-view.ts';
import { PoisonDetection } from './poison-detection.ts';
import { QueueClock } from './queue-clock.ts';
import { QueueTable } from './queue-table.ts';
import { Settlement } from './settlement.ts';
import { SubmissionQueue } from './submission-queue.ts';
import { SubmittingWriter } from './submitting-writer.ts';
import type { MessageFilter, MessageView, QueueView } from './views.ts';

/** What the queue is made of. */
export interface QueueParts {
  readonly spool: Spool;
  readonly router: Router;
  readonly deliverers: (type: DeliveryType) => Deliverer;
  readonly notifier: Notifier;
  /** Asked each time: the settings in force. */
  readonly settings: () => QueueSettings;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly faults?: FaultReport;
  /** Octets of messages kept at hand for an immediate delivery. Default 32 MB. */
  readonly cacheBytes?: number;
}

/** A message that cannot be read from the spool now is looked at again after this time, in milliseconds. */
const unreadableMs = 60_000;
/** At the end outcomes and reports get so long to come to the disk, in milliseconds: a lost outcome is a second delivery. */
const lastWriteMs = 5_000;

/** Takes messages, keeps them, hands them to connections, and settles what became of them. */
export class MessageQueue {
  readonly #parts: QueueParts;
  readonly #clock: QueueClock;
  readonly #faults: FaultReport;
  readonly #cache: MailCache;
  readonly #ledger: Ledger;
  readonly #settlement: Settlement;
  readonly #poison: PoisonDetection;
  readonly #table: QueueTable;
  readonly #dispatcher: Dispatcher;
  readonly #enqueuer: Enqueuer;
  readonly #submission: SubmissionQueue;
  #closing = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
    const { spool, journal, notifier, settings, faults = unreported } = parts;
    this.#faults = faults;
    const clock = new QueueClock(parts.clock);
    this.#clock = clock;
    this.#cache = new MailCache(parts.cacheBytes ?? 32 * 1024 ** 2);
    this.#ledger = new Ledger(spool, this.#cache, { clock, faults });
    this.#settlement = new Settlement({ ledger: this.#ledger, notifier, journal, clock, faults });
    this.#poison = new PoisonDetection(spool, faults);
    this.#table = new QueueTable(clock, () => settings().queueMaxIdleTime * 1_000, {
      deadline: (item) => this.#deadline(item),
      ready: (item) => this.#ready(item),
      retry: (queue) => this.#dispatcher.retry(queue),
      removal: (item) => this.#remove(item, item.state === 'removing-with-report'),
    });
    const [table, ledger, settlement, poison] = [this.#table, this.#ledger, this.#settlement, this.#poison];
    const { deliverers, router } = parts;
    this.#dispatcher = new Dispatcher(
      { spool, deliverers, settings, journal, clock, table, ledger, poison, faults },
      {
        settled: (delivery, outcomes, remote) => this.#settled(delivery, outcomes, remote),
        expired: (item, message) => this.#expire(item, message),
        stale: (queue) => void this.#enqueuer.reroute(queue),
      },
    );
    const [cache, dispatcher] = [this.#cache, this.#dispatcher];
    this.#enqueuer = new Enqueuer({
      spool,
      router,
      settings,
      clock,
      cache,
      ledger,
      settlement,
      poison,
      table,
      dispatcher,
      faults,
      ready: (item) => this.#ready(item),
    });
    this.#submission = new SubmissionQueue(
      { categorize: router.categorize?.bind(router), clock, ledger, settlement, poison, table, faults },
      (item, message) => this.#enqueuer.categorized(item, message),
    );
  }

  /** Whether MAIL may be accepted, and the reply when not (452 4.3.1). */
  get accepting(): { readonly ok: true } | { readonly ok: false; readonly reply: Reply } {
    if (this.#parts.spool.accepting && !this.#closing) return { ok: true };
    return { ok: false, reply: replies.insufficientResources('') };
  }

  /** Takes up the messages that an earlier run left. Call once; mail may be accepted meanwhile. */
  start(): Promise<void> {
    return this.#enqueuer.recover();
  }

  /** A writer whose commit also submits. Throws SpoolError when nothing can be taken. */
  begin(): MessageWriter {
    const writer = this.#parts.spool.begin();
    this.#enqueuer.begun(writer.id);
    return new SubmittingWriter(writer, (message, content) => this.#enqueuer.submit(message, content));
  }

  /** The configuration changed: messages of queues that are not Active are routed again. */
  reroute(): Promise<void> {
    return this.#enqueuer.rerouteAll();
  }

  queues(): QueueView[] {
    const views = [...this.#table.all()].map((queue) => queue.view(this.#clock));
    return views.some(({ identity }) => identity === submissionView.identity) ? views : [submissionView, ...views];
  }

  messages(filter: MessageFilter = {}): MessageView[] {
    const { limit = 1_000 } = filter;
    const views: MessageView[] = [];
    for (const queue of this.#table.all()) {
      if (filter.queue !== undefined && queue.identity !== filter.queue) continue;
      for (const item of queue.items()) {
        if (views.length >= limit) return views;
        if (filter.id !== undefined && item.mail.id !== filter.id) continue;
        const status = statusOf(item.state);
        if (filter.status !== undefined && filter.status !== status) continue;
        const message = this.#read(item.mail);
        views.push(
          message === undefined
            ? damagedView(item.mail.id, item.queue.identity, item.queue.lastError)
            : viewOf(item, message, status, this.#clock),
        );
      }
    }
    return [...views, ...this.#damagedViews(filter)].slice(0, limit);
  }

  /** Messages that cannot be read were never put into a queue: they are shown where poison messages are. */
  #damagedViews({ queue, id, status }: MessageFilter): MessageView[] {
    if ((queue ?? poisonHop.key) !== poisonHop.key || (status ?? 'Suspended') !== 'Suspended') return [];
    const damaged = [...this.#parts.spool.damaged].filter(([one]) => id === undefined || id === one);
    return damaged.map(([one, reason]) => damagedView(one, poisonHop.key, reason));
  }

  /** Holds back what goes to this next hop from now on; its queue is made when it is not there yet. */
  suspendHop(hop: NextHop): void {
    this.suspendQueue(this.#table.queueFor(hop).identity);
  }

  /** Identity of the queue that leads there now; undefined: nothing waits for it. */
  queueTo(hop: NextHop): string | undefined {
    return [...this.#table.all()].find((queue) => queue.hop.key === hop.key)?.identity;
  }

  /** What waits goes to this next hop instead, at once; held messages and queues stay. How many were moved. */
  async redirect(hop: NextHop): Promise<number> {
    const moved = await this.#enqueuer.redirect(hop);
    const identity = this.queueTo(hop);
    if (identity !== undefined) await this.retryQueue(identity);
    return moved;
  }

  /** False: no such queue. */
  suspendQueue(identity: string): boolean {
    const queue = this.#table.byIdentity(identity);
    if (queue === undefined) return false;
    queue.suspended = true;
    this.#dispatcher.endIdle(queue);
    return true;
  }

  resumeQueue(identity: string): boolean {
    const queue = this.#table.byIdentity(identity);
    if (queue === undefined) return false;
    queue.suspended = false;
    this.#dispatcher.dispatch(queue);
    this.#table.restQueue(queue);
    return true;
  }

  /** Tries at once; `resubmit` routes its messages again. False: no such queue. */
  async retryQueue(identity: string, options: { readonly resubmit?: boolean } = {}): Promise<boolean> {
    const queue = this.#table.byIdentity(identity);
    if (queue === undefined) return false;
    if (options.resubmit === true) await this.#enqueuer.reroute(queue);
    for (const item of [...queue.others]) if (item.state === 'deferred') this.#table.release(item);
    this.#dispatcher.retry(queue);
    return true;
  }

  /** These send connectors have changed: what waits for another attempt through one of them is tried at once, as mended. */
  async retryConnectors(names: ReadonlySet<string>): Promise<void> {
    for (const queue of [...this.#table.all()]) {
      if (names.has(queue.hop.connector)) await this.retryQueue(queue.identity);
    }
  }

  /** All parts of the message, or the one in `queue`. False: no such message. */
  suspendMessage(id: number, queue?: string): boolean {
    const items = this.#itemsOf(id, queue);
    for (const item of items) {
      if (item.state === 'active') item.state = 'suspending';
      else if (!item.isActive) this.#hold(item);
    }
    return items.length > 0;
  }

  /** False: no such message. One that was set aside as poison is routed again. */
  resumeMessage(id: number, queue?: string): boolean {
    const items = this.#itemsOf(id, queue);
    for (const item of items) {
      if (item.state === 'suspending') item.state = 'active';
      if (item.state !== 'suspended') continue;
      this.#poison.clear(id);
      this.#noteDue(item, 0);
      if (item.queue.hop.key === poisonHop.key) {
        this.#faults.end(`message ${id}`);
        this.#enqueuer.resubmit(item);
      } else this.#table.release(item);
    }
    return items.length > 0;
  }

  /** Ends it for its pending recipients; `report`: the sender gets an NDR. False: no such message. */
  async removeMessage(id: number, options: { readonly report: boolean; readonly queue?: string }): Promise<boolean> {
    const items = this.#itemsOf(id, options.queue);
    if (items.length === 0 && this.#parts.spool.damaged.has(id)) {
      await this.#parts.spool.remove(id);
      return true;
    }
    for (const item of items) {
      if (item.isActive) item.state = options.report ? 'removing-with-report' : 'removing';
      else this.#remove(item, options.report);
    }
    return items.length > 0;
  }

  /** Notes which messages were in delivery. For `process.on('uncaughtExceptionMonitor')`: synchronous, never throws. */
  noteCrash(): void {
    const active: number[] = [];
    for (const queue of this.#table.all()) {
      for (const connection of queue.connections) for (const { item } of connection.taken) active.push(item.mail.id);
    }
    this.#poison.count([...active, ...this.#submission.active]);
  }

  /** Stops handing out, waits for running deliveries until `signal` aborts, and closes the spool. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    this.#enqueuer.close();
    this.#submission.close();
    await this.#dispatcher.close(signal);
    this.#table.close();
    const late = Promise.withResolvers<void>();
    const limit = this.#clock.after(lastWriteMs, late.resolve);
    await Promise.race([this.#settlement.reported().then(() => this.#ledger.settled()), late.promise]);
    limit.cancel();
    this.#settlement.stop();
    this.#ledger.stop();
    await this.#parts.spool[Symbol.asyncDispose]();
  }

  #ready(item: Item): void {
    if (item.queue.hop === submissionHop) this.#submission.ready(item.queue);
    else this.#dispatcher.dispatch(item.queue);
  }

  #settled(
    { item, connection, message: handed }: Delivery,
    outcomes: readonly RecipientOutcome[],
    remote: string,
  ): void {
    const now = this.#clock.now();
    const { mail, state, queue } = item;
    const held = state === 'suspending';
    const retryAt = held ? heldDue : now + this.#parts.settings().messageRetryInterval * 1_000;
    queue.outgoing.add(now);
    const kept = this.#settlement.settle({
      mail,
      message: this.#read(mail) ?? handed,
      hop: connection.hop,
      recipients: item.recipients,
      outcomes,
      remote,
      retryAt: held ? heldDue : this.#clock.toWall(retryAt),
      ...(state === 'removing' ? { removal: 'silent' } : {}),
      ...(state === 'removing-with-report' ? { removal: 'with-report' } : {}),
    });
    if (kept.length === 0) return this.#end(item);
    item.recipients = kept;
    this.#cache.release(mail);
    this.#table.defer(item, retryAt);
  }

  /** Nothing of the item is left to do. */
  #end(item: Item): void {
    if (item.queue.hop.key === poisonHop.key) this.#faults.end(`message ${item.mail.id}`);
    this.#table.drop(item);
    this.#settlement.close(item.mail);
  }

  #deadline(item: Item): void {
    const message = this.#read(item.mail);
    const now = this.#clock.now();
    if (message === undefined) {
      item.deadline = now + unreadableMs;
      return this.#table.reschedule(item);
    }
    if (now >= item.mail.expiresAt) return this.#expire(item, message);
    const untold = item.recipients.filter((index) => message.recipients[index]?.delayNotified !== true);
    const last = untold.map((index) => message.recipients[index]?.lastReply || item.queue.lastError);
    if (untold.length > 0) this.#settlement.delay(item.mail, message, untold, last);
    item.deadline = item.mail.expiresAt;
    this.#table.reschedule(item);
  }

  /** The time of its recipients has run out. */
  #expire(item: Item, message: StoredMessage): void {
    this.#conclude(item, message, undefined);
  }

  #remove(item: Item, report: boolean): void {
    const message = this.#read(item.mail);
    if (message === undefined) return this.#end(item);
    this.#poison.clear(item.mail.id);
    this.#conclude(item, message, report ? 'with-report' : 'silent');
  }

  /** Settles what was not tried now; the settlement makes failures of it. */
  #conclude(item: Item, message: StoredMessage, removal: 'with-report' | 'silent' | undefined): void {
    const outcomes = item.recipients.map((index): RecipientOutcome => {
      const reply = message.recipients[index]?.lastReply || item.queue.lastError;
      return { kind: 'deferred', reply };
    });
    const { mail, queue, recipients } = item;
    const settled = { mail, message, hop: queue.hop, recipients, outcomes, remote: '', retryAt: 0, counts: false };
    this.#settlement.settle(removal === undefined ? settled : { ...settled, removal });
    this.#end(item);
  }

  #hold(item: Item): void {
    this.#noteDue(item, heldDue);
    this.#table.defer(item, heldDue);
  }

  /** Writes down until when the recipients wait, so that a restart keeps to it. */
  #noteDue(item: Item, due: number): void {
    const states = this.#read(item.mail)?.recipients ?? [];
    this.#ledger.change(
      item.mail,
      item.recipients.flatMap((index) => {
        const state = states[index];
        return state === undefined ? [] : [[index, { ...state, due }] as const];
      }),
    );
  }

  #itemsOf(id: number, identity?: string): Item[] {
    const items: Item[] = [];
    for (const queue of this.#table.all()) {
      if (identity !== undefined && queue.identity !== identity) continue;
      for (const item of queue.items()) if (item.mail.id === id) items.push(item);
    }
    return items;
  }

  /** The message with its newest states; undefined when it cannot be read. */
  #read(mail: Mail): StoredMessage | undefined {
    try {
      return this.#ledger.current(mail);
    } catch (error) {
      if (error instanceof SpoolError) return undefined;
      throw error;
    }
  }
}
