import type { FaultReport } from '../base/index.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import type { Spool, StoredMessage } from './model/contract.ts';
import type { NextHop, QueueSettings, RoutePlan, Router } from './model/delivery.ts';
import { Mail } from './model/mail.ts';
import type { Ledger } from './settlement/ledger.ts';
import type { MailCache } from './settlement/mail-cache.ts';
import { type PoisonDetection, reportPoison } from './settlement/poison-detection.ts';
import type { Settlement } from './settlement/settlement.ts';
import { type DeliveryQueue, heldDue, Item, isInternal, poisonHop, submissionHop } from './table/delivery-queue.ts';
import type { QueueClock } from './table/queue-clock.ts';
import type { QueueTable } from './table/queue-table.ts';

export interface EnqueuerParts {
  readonly spool: Spool;
  readonly router: Router;
  readonly settings: () => QueueSettings;
  readonly clock: QueueClock;
  readonly faults: FaultReport;
  readonly cache: MailCache;
  readonly ledger: Ledger;
  readonly settlement: Settlement;
  readonly poison: PoisonDetection;
  readonly table: QueueTable;
  readonly dispatcher: Dispatcher;
  /** An item may go on. */
  readonly ready: (item: Item) => void;
}

/** Messages taken up, or routed again, in one turn of the event loop. */
const batch = 100;
/** Where recipients stand for whom no next hop was found. */
const noHop: NextHop = { key: '', type: 'Unreachable', domain: '', connector: '' };
/** Most messages have one recipient: they share the list of its index. */
const onlyOne: readonly number[] = Object.freeze([0]);

/** Brings messages into the queues of their next hops: new ones, those of an earlier run, and all again on a change. */
export class Enqueuer {
  readonly #parts: EnqueuerParts;
  /** The first id of this run: what the spool lists from here on was submitted already. */
  #firstId = Number.POSITIVE_INFINITY;
  #closing = false;
  #rerouting: Promise<void> | undefined;
  #rerouteAgain = false;

  constructor(parts: EnqueuerParts) {
    this.#parts = parts;
  }

  /** A message of this run has this id. */
  begun(id: number): void {
    this.#firstId = Math.min(this.#firstId, id);
  }

  submit(message: StoredMessage, content: Buffer | undefined): void {
    // It is on the disk: the next start takes it up.
    if (this.#closing) return;
    const mail = new Mail(message.id, this.#parts.clock.now() + message.expiresAt - message.receivedAt);
    this.#parts.cache.admit(mail, message, content);
    const { length } = message.envelope.recipients;
    this.#enter(mail, message, length === 1 ? onlyOne : [...Array(length).keys()]);
  }

  /** Takes up the messages that an earlier run left. */
  async recover(): Promise<void> {
    let taken = 0;
    for (const message of this.#parts.spool.list()) {
      if (message.id >= this.#firstId || this.#closing) return;
      this.#takeUp(message);
      if (++taken % batch === 0) await turn();
    }
  }

  /** Routes the messages of all queues without connections again; the others follow when theirs have ended. */
  rerouteAll(): Promise<void> {
    this.#rerouteAgain = true;
    this.#rerouting ??= this.#rerouteIdle().finally(() => {
      this.#rerouting = undefined;
    });
    return this.#rerouting;
  }

  async reroute(queue: DeliveryQueue): Promise<void> {
    const { table, dispatcher } = this.#parts;
    if (queue.hop.key === submissionHop.key) return;
    queue.stale = false;
    let routed = 0;
    for (const item of [...queue.items()]) {
      if (item.state === 'ended' || item.isActive || item.queue !== queue) continue;
      this.routeAgain(item);
      if (++routed % batch === 0) await turn();
    }
    dispatcher.dispatch(queue);
    table.restQueue(queue);
  }

  /** One item through the router again; it stays where it is when the answer is the same. */
  routeAgain(item: Item): void {
    const message = this.#parts.ledger.readable(item.mail);
    if (message === undefined) return;
    const plan = this.#ask(message, item.recipients);
    const [only] = plan?.hops ?? [];
    if (plan?.failed.length === 0 && plan.hops.length === 1 && only?.hop.key === item.queue.hop.key) return;
    this.#replace(item, message, plan);
  }

  /** A message that was set aside begins anew. */
  resubmit(item: Item): void {
    const message = this.#parts.ledger.readable(item.mail);
    if (message !== undefined) this.#replace(item, message, this.#firstPlan(message, item.recipients));
  }

  /** The agents are done with an item: it is routed. */
  categorized(item: Item, message: StoredMessage): void {
    const recipients = [...message.envelope.recipients.keys()];
    this.#replace(item, message, this.#ask(message, recipients), recipients);
  }

  /**
   * Sends what waits in any queue to another next hop instead, until the configuration changes or the process ends. What an
   * administrator holds stays where it is. Returns how many were moved.
   */
  async redirect(hop: NextHop): Promise<number> {
    let moved = 0;
    for (const queue of [...this.#parts.table.all()]) {
      if (queue.suspended || queue.hop.key === hop.key || isInternal(queue.hop)) continue;
      for (const item of [...queue.items()]) {
        if (item.state === 'ended' || item.state === 'suspended' || item.isActive || item.queue !== queue) continue;
        const message = this.#parts.ledger.readable(item.mail);
        if (message === undefined) continue;
        this.#replace(item, message, { hops: [{ hop, recipients: item.recipients }], failed: [] });
        if (++moved % batch === 0) await turn();
      }
    }
    return moved;
  }

  /** Takes up nothing more. */
  close(): void {
    this.#closing = true;
  }

  async #rerouteIdle(): Promise<void> {
    while (this.#rerouteAgain && !this.#closing) {
      this.#rerouteAgain = false;
      for (const queue of [...this.#parts.table.all()]) {
        if (isInternal(queue.hop)) continue;
        if (queue.connections.size > 0) queue.stale = true;
        else await this.reroute(queue);
      }
    }
  }

  /** Puts what the plan says in the place of an item. */
  #replace(
    item: Item,
    message: StoredMessage,
    plan: RoutePlan | undefined,
    recipients: readonly number[] = item.recipients,
  ): void {
    const { table, settlement } = this.#parts;
    const { mail } = item;
    // Stands in for the item until those in its place are there.
    mail.open += 1;
    table.drop(item);
    settlement.close(mail);
    this.#follow(plan, mail, message, recipients);
    settlement.close(mail);
  }

  /** A message of an earlier run: only what is still pending goes on. */
  #takeUp(message: StoredMessage): void {
    const { poison, settings } = this.#parts;
    const mail = new Mail(message.id, this.#expiryOf(message));
    const pending = message.recipients.flatMap(({ status }, index) => (status === 'pending' ? [index] : []));
    if (pending.length > 0 && poison.crashes(message.id) >= settings().poisonThreshold) {
      return this.#setAside(mail, pending, 'The process broke down while it was in delivery');
    }
    this.#enter(mail, message, pending);
  }

  #enter(mail: Mail, message: StoredMessage, pending: readonly number[]): void {
    mail.open += 1;
    // Nothing is pending when the process ended between the last outcome and the removal.
    if (pending.length > 0) this.#follow(this.#firstPlan(message, pending), mail, message, pending);
    this.#parts.settlement.close(mail);
  }

  /** Sends recipients where the plan says. The caller holds the mail open. */
  #follow(plan: RoutePlan | undefined, mail: Mail, message: StoredMessage, pending: readonly number[]): void {
    const { settlement, table, ready, clock } = this.#parts;
    if (plan === undefined) return this.#setAside(mail, pending, 'The routing broke down over it');
    const { hops, failed } = plan;
    if (failed.length > 0) {
      settlement.fail(
        mail,
        message,
        noHop,
        failed.map(({ recipient, reply }) => [recipient, reply] as const),
      );
    }
    for (const { hop, recipients, reason } of hops) {
      if (reason !== undefined) this.#noteReason(mail, message, recipients, reason);
      const due = this.#dueOf(message, recipients);
      const item = new Item(mail, table.queueFor(hop), recipients, due, this.#deadlineOf(mail, message, recipients));
      mail.open += 1;
      table.enter(item, clock.now());
      if (item.queue.retryAt > 0 || item.queue.suspended) this.#parts.cache.release(mail);
      if (item.state === 'ready') ready(item);
    }
  }

  /** Recipients that wait untried say why. */
  #noteReason(mail: Mail, message: StoredMessage, recipients: readonly number[], reason: string): void {
    const changes = recipients.flatMap((index) => {
      const state = message.recipients[index];
      return state === undefined || state.lastReply === reason
        ? []
        : [[index, { ...state, lastReply: reason }] as const];
    });
    if (changes.length > 0) this.#parts.ledger.change(mail, changes);
  }

  /** Out of the way, where an administrator finds it. */
  #setAside(mail: Mail, recipients: readonly number[], reason: string): void {
    const { table, clock, faults } = this.#parts;
    reportPoison(faults, mail, reason);
    mail.open += 1;
    const queue = table.queueFor(poisonHop);
    queue.lastError = reason;
    table.enter(new Item(mail, queue, recipients, heldDue, mail.expiresAt), clock.now());
  }

  /** Where a message goes that nobody has tried to deliver: to the agents, if there are any. */
  #firstPlan(message: StoredMessage, pending: readonly number[]): RoutePlan | undefined {
    if (this.#parts.router.categorize === undefined || !isUntouched(message)) return this.#ask(message, pending);
    return { hops: [{ hop: submissionHop, recipients: pending }], failed: [] };
  }

  /** Undefined: the router broke down. That must not end the process: it would break down again at each start. */
  #ask(message: StoredMessage, recipients: readonly number[]): RoutePlan | undefined {
    try {
      const plan = this.#parts.router.route(message, recipients);
      this.#parts.faults.end('routing');
      return plan;
    } catch (error) {
      this.#parts.faults.begin('routing', `the routing broke down over message ${message.id}: ${wordsOf(error)}`);
      return undefined;
    }
  }

  /** When something must be said of recipients that still wait. */
  #deadlineOf(mail: Mail, message: StoredMessage, recipients: readonly number[]): number {
    const told = recipients.every((index) => message.recipients[index]?.delayNotified === true);
    if (told) return mail.expiresAt;
    const received = mail.expiresAt - (message.expiresAt - message.receivedAt);
    return Math.min(mail.expiresAt, received + this.#parts.settings().delayNotificationTimeout * 1_000);
  }

  /** Of a message from the disk. The clock may have been ahead when it came. */
  #expiryOf({ expiresAt, receivedAt }: StoredMessage): number {
    return this.#parts.clock.ahead(expiresAt, expiresAt - receivedAt);
  }

  /** When the last of the recipients is due; 0: at once. */
  #dueOf(message: StoredMessage, recipients: readonly number[]): number {
    const latest = recipients.reduce((due, index) => Math.max(due, message.recipients[index]?.due ?? 0), 0);
    if (latest === 0 || latest === heldDue) return latest;
    return this.#parts.clock.ahead(latest, this.#parts.settings().messageRetryInterval * 1_000);
  }
}

/** The agents have not changed it, and no host was asked to take it. */
function isUntouched({ categorized, recipients }: StoredMessage): boolean {
  return categorized !== true && recipients.every(({ status, attempts }) => status === 'pending' && attempts === 0);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
