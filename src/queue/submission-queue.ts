import type { FaultReport } from '../base/index.ts';
import { loadItem } from './dispatch/load-item.ts';
import { type Revision, SpoolError, type StoredMessage } from './model/contract.ts';
import type { Categorized, Router } from './model/delivery.ts';
import type { Ledger } from './settlement/ledger.ts';
import type { PoisonDetection } from './settlement/poison-detection.ts';
import type { Settlement } from './settlement/settlement.ts';
import { type DeliveryQueue, type Item, submissionHop } from './table/delivery-queue.ts';
import type { QueueClock } from './table/queue-clock.ts';
import type { QueueTable } from './table/queue-table.ts';

export interface SubmissionParts {
  /** Undefined: no agents, and nothing comes here. */
  readonly categorize: Router['categorize'] | undefined;
  readonly clock: QueueClock;
  readonly ledger: Ledger;
  readonly settlement: Settlement;
  readonly poison: PoisonDetection;
  readonly table: QueueTable;
  readonly faults: FaultReport;
}

/** Messages that the agents are asked about at the same time. */
const mostAtOnce = 20;
/** Agents have so long for one message, in milliseconds. */
const longestMs = 10 * 60_000;
/** After a failure the agents are asked again after this time, in milliseconds; within it a disk may have room again. */
const againMs = 5 * 60_000;
/** No agent defers a message for less or for longer, in milliseconds. */
const shortestDeferralMs = 1_000;
const longestDeferralMs = 24 * 60 * 60_000;
/** A message that may have broken the process waits for another one of them so long, in milliseconds. */
const accusedWaitMs = 1_000;

const fault = 'categorizer agents';

/** Messages that wait for the agents of the categorizer: on the disk, not routed yet. */
export class SubmissionQueue {
  readonly #parts: SubmissionParts;
  readonly #categorized: (item: Item, message: StoredMessage) => void;
  readonly #running = new Set<Item>();
  readonly #abort = new AbortController();

  /** `categorized`: the agents are done with the item, whose message is as they left it, on the disk. */
  constructor(parts: SubmissionParts, categorized: (item: Item, message: StoredMessage) => void) {
    this.#parts = parts;
    this.#categorized = categorized;
  }

  /** Ids of the messages that agents are asked about now. */
  get active(): readonly number[] {
    return [...this.#running].map(({ mail }) => mail.id);
  }

  /** Something waits in it. */
  ready(queue: DeliveryQueue): void {
    const { table, poison, clock } = this.#parts;
    for (let item = queue.ready.first; item !== undefined; item = queue.ready.first) {
      if (this.#running.size >= mostAtOnce || this.#abort.signal.aborted) return;
      const message = loadItem(item, this.#parts);
      if (message === undefined) continue;
      if (poison.mustWait(item.mail.id)) {
        table.defer(item, clock.now() + accusedWaitMs);
        continue;
      }
      table.activate(item);
      this.#running.add(item);
      poison.begin(item.mail.id);
      void this.#run(item, message, queue);
    }
  }

  /** Nothing more is asked, and no answer heard: what waits is asked about at the next start. */
  close(): void {
    this.#abort.abort();
  }

  async #run(item: Item, message: StoredMessage, queue: DeliveryQueue): Promise<void> {
    try {
      const verdict = await this.#ask(message);
      if (this.#abort.signal.aborted) return;
      // An administrator wants it held or removed: the agents are asked again, or not at all.
      if (item.state !== 'active') this.#parts.table.giveBack(item);
      else await this.#obey(item, message, verdict);
    } finally {
      this.#running.delete(item);
      this.#parts.poison.end(item.mail.id, false);
      this.ready(queue);
    }
  }

  /** Never rejects: a failure of an agent defers the message. */
  async #ask(message: StoredMessage): Promise<Categorized> {
    const { categorize, clock, faults } = this.#parts;
    const late = new AbortController();
    const limit = clock.after(longestMs, () => late.abort(new Error('the agents have taken too long')));
    const signal = AbortSignal.any([late.signal, this.#abort.signal]);
    try {
      const verdict = await Promise.race([categorize?.(message, signal), aborted(signal)]);
      faults.end(fault);
      return verdict ?? { kind: 'go' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#abort.signal.aborted)
        faults.begin(fault, `message ${message.id} waits, because an agent failed: ${reason}`);
      return { kind: 'deferred', afterMs: againMs, reason };
    } finally {
      limit.cancel();
      // What listens to it must not be kept until the service stops.
      late.abort();
    }
  }

  async #obey(item: Item, message: StoredMessage, verdict: Categorized): Promise<void> {
    const { table, settlement, clock } = this.#parts;
    const { mail, recipients } = item;
    switch (verdict.kind) {
      case 'go':
        return verdict.revision === undefined
          ? this.#categorized(item, message)
          : this.#revise(item, message, verdict.revision);
      case 'deferred':
        item.queue.lastError = verdict.reason;
        return table.defer(item, clock.now() + clamp(verdict.afterMs));
      case 'failed':
        settlement.fail(
          mail,
          message,
          submissionHop,
          recipients.map((recipient) => [recipient, verdict.reply] as const),
        );
        return this.#end(item);
      case 'discarded':
        return this.#end(item);
    }
  }

  /** Nobody delivers what is not on the disk. */
  async #revise(item: Item, message: StoredMessage, revision: Omit<Revision, 'recipients'>): Promise<void> {
    const { table, ledger, clock } = this.#parts;
    try {
      const revised = await ledger.revise(item.mail, { ...revision, recipients: statesOf(message, revision) });
      if (this.#abort.signal.aborted) return;
      if (revised === undefined) table.drop(item);
      else if (item.state !== 'active') table.giveBack(item);
      else this.#categorized(item, revised);
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error;
      if (this.#abort.signal.aborted) return;
      item.queue.lastError = error.message;
      if (item.state === 'active') table.defer(item, clock.now() + againMs);
      else table.giveBack(item);
    }
  }

  #end(item: Item): void {
    this.#parts.table.drop(item);
    this.#parts.settlement.close(item.mail);
  }
}

/** States of the recipients of a revision: what was done for an address that stays is kept. */
function statesOf(
  { envelope, recipients }: StoredMessage,
  revision: Pick<Revision, 'envelope'>,
): Revision['recipients'] {
  const known = new Map(envelope.recipients.map(({ address }, i) => [address, recipients[i]]));
  const untouched = { status: 'pending', attempts: 0, due: 0, lastReply: '', delayNotified: false } as const;
  return revision.envelope.recipients.map(({ address }) => known.get(address) ?? untouched);
}

function clamp(afterMs: number): number {
  return Math.min(Math.max(afterMs, shortestDeferralMs), longestDeferralMs);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
