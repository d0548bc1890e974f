import type { FaultReport } from '../base/index.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import type { Enqueuer } from './enqueuer.ts';
import { damagedView, statusOf, submissionView, viewOf } from './message-view.ts';
import type { Spool } from './model/contract.ts';
import type { NextHop } from './model/delivery.ts';
import type { MessageFilter, MessageView, QueueView } from './model/views.ts';
import type { Ledger } from './settlement/ledger.ts';
import type { PoisonDetection } from './settlement/poison-detection.ts';
import { heldDue, type Item, poisonHop } from './table/delivery-queue.ts';
import type { QueueClock } from './table/queue-clock.ts';
import type { QueueTable } from './table/queue-table.ts';

interface AdministrationParts {
  readonly spool: Spool;
  readonly table: QueueTable;
  readonly dispatcher: Dispatcher;
  readonly enqueuer: Enqueuer;
  readonly ledger: Ledger;
  readonly poison: PoisonDetection;
  readonly clock: QueueClock;
  readonly faults: FaultReport;
  /** Ends an item that no connection has; `report`: the sender gets an NDR. */
  readonly remove: (item: Item, report: boolean) => void;
}

/** What an administrator sees of queues and messages, and does to them. */
export class QueueAdministration {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  queues(): QueueView[] {
    const views = [...this.#parts.table.all()].map((queue) => queue.view(this.#parts.clock));
    return views.some(({ identity }) => identity === submissionView.identity) ? views : [submissionView, ...views];
  }

  messages(filter: MessageFilter = {}): MessageView[] {
    const { limit = 1_000 } = filter;
    const views: MessageView[] = [];
    for (const queue of this.#parts.table.all()) {
      if (filter.queue !== undefined && queue.identity !== filter.queue) continue;
      for (const item of queue.items()) {
        if (views.length >= limit) return views;
        if (filter.id !== undefined && item.mail.id !== filter.id) continue;
        const status = statusOf(item.state);
        if (filter.status !== undefined && filter.status !== status) continue;
        const message = this.#parts.ledger.readable(item.mail);
        views.push(
          message === undefined
            ? damagedView(item.mail.id, item.queue.identity, item.queue.lastError)
            : viewOf(item, message, status, this.#parts.clock),
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
    this.suspendQueue(this.#parts.table.queueFor(hop).identity);
  }

  /** Identity of the queue that leads there now; undefined: nothing waits for it. */
  queueTo(hop: NextHop): string | undefined {
    return [...this.#parts.table.all()].find((queue) => queue.hop.key === hop.key)?.identity;
  }

  /** What waits goes to this next hop instead, at once; held messages and queues stay. How many were moved. */
  async redirect(hop: NextHop): Promise<number> {
    const moved = await this.#parts.enqueuer.redirect(hop);
    const identity = this.queueTo(hop);
    if (identity !== undefined) await this.retryQueue(identity);
    return moved;
  }

  /** False: no such queue. */
  suspendQueue(identity: string): boolean {
    const queue = this.#parts.table.byIdentity(identity);
    if (queue === undefined) return false;
    queue.suspended = true;
    this.#parts.dispatcher.endIdle(queue);
    return true;
  }

  resumeQueue(identity: string): boolean {
    const queue = this.#parts.table.byIdentity(identity);
    if (queue === undefined) return false;
    queue.suspended = false;
    this.#parts.dispatcher.dispatch(queue);
    this.#parts.table.restQueue(queue);
    return true;
  }

  /** Tries at once; `resubmit` routes its messages again. False: no such queue. */
  async retryQueue(identity: string, options: { readonly resubmit?: boolean } = {}): Promise<boolean> {
    const queue = this.#parts.table.byIdentity(identity);
    if (queue === undefined) return false;
    if (options.resubmit === true) await this.#parts.enqueuer.reroute(queue);
    for (const item of [...queue.others]) if (item.state === 'deferred') this.#parts.table.release(item);
    this.#parts.dispatcher.retry(queue);
    return true;
  }

  /** These send connectors have changed: what waits for another attempt through one of them is tried at once, as mended. */
  async retryConnectors(names: ReadonlySet<string>): Promise<void> {
    for (const queue of [...this.#parts.table.all()]) {
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
      this.#parts.poison.clear(id);
      this.#noteDue(item, 0);
      if (item.queue.hop.key === poisonHop.key) {
        this.#parts.faults.end(`message ${id}`);
        this.#parts.enqueuer.resubmit(item);
      } else this.#parts.table.release(item);
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
      else this.#parts.remove(item, options.report);
    }
    return items.length > 0;
  }

  #hold(item: Item): void {
    this.#noteDue(item, heldDue);
    this.#parts.table.defer(item, heldDue);
  }

  /** Writes down until when the recipients wait, so that a restart keeps to it. */
  #noteDue(item: Item, due: number): void {
    const states = this.#parts.ledger.readable(item.mail)?.recipients ?? [];
    this.#parts.ledger.change(
      item.mail,
      item.recipients.flatMap((index) => {
        const state = states[index];
        return state === undefined ? [] : [[index, { ...state, due }] as const];
      }),
    );
  }

  #itemsOf(id: number, identity?: string): Item[] {
    const items: Item[] = [];
    for (const queue of this.#parts.table.all()) {
      if (identity !== undefined && queue.identity !== identity) continue;
      for (const item of queue.items()) if (item.mail.id === id) items.push(item);
    }
    return items;
  }
}
