import { type Clock, type FaultReport, unreported } from '../base/index.ts';
import type { Journal } from '../logs/index.ts';
import { type Reply, replies } from '../smtp/index.ts';
import type { Delivery } from './dispatch/connection.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { Enqueuer } from './enqueuer.ts';
import type { MessageWriter, Spool, StoredMessage } from './model/contract.ts';
import type {
  Deliverer,
  DeliveryType,
  NextHop,
  Notifier,
  QueueSettings,
  RecipientOutcome,
  Router,
} from './model/delivery.ts';
import type { MessageFilter, MessageView, QueueView } from './model/views.ts';
import { QueueAdministration } from './queue-administration.ts';
import { Ledger } from './settlement/ledger.ts';
import { MailCache } from './settlement/mail-cache.ts';
import { PoisonDetection } from './settlement/poison-detection.ts';
import { Settlement } from './settlement/settlement.ts';
import { SubmissionQueue } from './submission-queue.ts';
import { SubmissionTurn, SubmittingWriter } from './submitting-writer.ts';
import { heldDue, type Item, poisonHop, submissionHop } from './table/delivery-queue.ts';
import { QueueClock } from './table/queue-clock.ts';
import { QueueTable } from './table/queue-table.ts';

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
  /** Octets of messages kept at hand for an immediate delivery. Default 8 MB. */
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
  readonly #turn: SubmissionTurn;
  readonly #administration: QueueAdministration;
  #closing = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
    const { spool, journal, notifier, settings, faults = unreported } = parts;
    this.#faults = faults;
    const clock = new QueueClock(parts.clock);
    this.#clock = clock;
    this.#cache = new MailCache(parts.cacheBytes ?? 8 * 1024 ** 2);
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
    this.#turn = new SubmissionTurn((message, content) => this.#enqueuer.submit(message, content));
    const enqueuer = this.#enqueuer;
    this.#administration = new QueueAdministration({
      spool,
      table,
      dispatcher,
      enqueuer,
      ledger,
      poison,
      clock,
      faults,
      remove: (item, report) => this.#remove(item, report),
    });
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
    return new SubmittingWriter(writer, this.#turn);
  }

  /** The configuration changed: messages of queues that are not Active are routed again. */
  reroute(): Promise<void> {
    return this.#enqueuer.rerouteAll();
  }

  queues(): QueueView[] {
    return this.#administration.queues();
  }

  messages(filter: MessageFilter = {}): MessageView[] {
    return this.#administration.messages(filter);
  }

  /** Holds back what goes to this next hop from now on; its queue is made when it is not there yet. */
  suspendHop(hop: NextHop): void {
    return this.#administration.suspendHop(hop);
  }

  /** Identity of the queue that leads there now; undefined: nothing waits for it. */
  queueTo(hop: NextHop): string | undefined {
    return this.#administration.queueTo(hop);
  }

  /** What waits goes to this next hop instead, at once; held messages and queues stay. How many were moved. */
  redirect(hop: NextHop): Promise<number> {
    return this.#administration.redirect(hop);
  }

  /** False: no such queue. */
  suspendQueue(identity: string): boolean {
    return this.#administration.suspendQueue(identity);
  }

  resumeQueue(identity: string): boolean {
    return this.#administration.resumeQueue(identity);
  }

  /** Tries at once; `resubmit` routes its messages again. False: no such queue. */
  retryQueue(identity: string, options: { readonly resubmit?: boolean } = {}): Promise<boolean> {
    return this.#administration.retryQueue(identity, options);
  }

  /** These send connectors have changed: what waits for another attempt through one of them is tried at once, as mended. */
  retryConnectors(names: ReadonlySet<string>): Promise<void> {
    return this.#administration.retryConnectors(names);
  }

  /** All parts of the message, or the one in `queue`. False: no such message. */
  suspendMessage(id: number, queue?: string): boolean {
    return this.#administration.suspendMessage(id, queue);
  }

  /** False: no such message. One that was set aside as poison is routed again. */
  resumeMessage(id: number, queue?: string): boolean {
    return this.#administration.resumeMessage(id, queue);
  }

  /** Ends it for its pending recipients; `report`: the sender gets an NDR. False: no such message. */
  removeMessage(id: number, options: { readonly report: boolean; readonly queue?: string }): Promise<boolean> {
    return this.#administration.removeMessage(id, options);
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
      message: this.#ledger.readable(mail) ?? handed,
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
    const message = this.#ledger.readable(item.mail);
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
    const message = this.#ledger.readable(item.mail);
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
}
