import type { FaultReport } from '../../base/index.ts';
import type { Journal } from '../../logs/index.ts';
import type { StoredMessage } from '../model/contract.ts';
import type { NextHop, Notifier, RecipientOutcome } from '../model/delivery.ts';
import type { Mail } from '../model/mail.ts';
import type { QueueClock } from '../table/queue-clock.ts';
import type { Ledger } from './ledger.ts';
import { tellExpiry, tellOutcomes } from './outcome-events.ts';
import { type OwedReport, planOutcomes, replies } from './outcome-rules.ts';

/** A report that could not be written is tried again after this time, in milliseconds. */
const reportAgainMs = 60_000;

/** What became of some recipients of a message. */
export interface Result {
  readonly mail: Mail;
  readonly message: StoredMessage;
  readonly hop: NextHop;
  readonly recipients: readonly number[];
  readonly outcomes: readonly RecipientOutcome[];
  readonly remote: string;
  /** When deferred recipients are due again; wall time. */
  readonly retryAt: number;
  /** An administrator removes the message: what is not delivered has failed. */
  readonly removal?: 'with-report' | 'silent';
  /** False: no host was asked. Default true. */
  readonly counts?: boolean;
}

export interface SettlementParts {
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  readonly journal: Journal;
  readonly clock: QueueClock;
  readonly faults: FaultReport;
}

/**
 * Settles outcomes: the journal hears of them, reports are in the spool before the states that they tell of are, and a message
 * leaves the spool when nothing of it is open.
 */
export class Settlement {
  readonly #parts: SettlementParts;
  readonly #reporting = new Set<Promise<void>>();
  readonly #stop = Promise.withResolvers<void>();
  #stopped = false;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
  }

  /** The caller's item counts in `mail.open` until it calls `close`. Returns the recipients that stay in the queue. */
  settle(result: Result): readonly number[] {
    const { ledger, journal, clock } = this.#parts;
    const { mail, message, removal } = result;
    const now = clock.wall();
    const isOver = clock.now() >= mail.expiresAt;
    const ending = removal !== undefined ? replies.deleted : isOver ? replies.expired : undefined;
    const { changes, reports, kept, outcomes } = planOutcomes({
      ...result,
      now,
      ...(ending === undefined ? {} : { ending }),
      report: removal !== 'silent',
      counts: result.counts ?? true,
    });
    tellOutcomes(journal, { ...result, outcomes, at: now });
    if (ending === replies.expired) this.#tellExpiry(result, outcomes, now);
    for (const report of reports) this.#report(mail, message, report);
    // A message that leaves needs no states.
    if (kept.length > 0 || mail.open > 1) ledger.change(mail, changes);
    return kept;
  }

  /** Recipients for whom there is no way, or no time left. */
  fail(mail: Mail, message: StoredMessage, hop: NextHop, failures: readonly (readonly [number, string])[]): void {
    this.settle({
      mail,
      message,
      hop,
      recipients: failures.map(([recipient]) => recipient),
      outcomes: failures.map(([, reply]) => ({ kind: 'failed', reply })),
      remote: '',
      retryAt: 0,
      counts: false,
    });
  }

  /** Tells senders that wait. `replies` are the last ones, in the order of `recipients`. */
  delay(mail: Mail, message: StoredMessage, recipients: readonly number[], lastReplies: readonly string[]): void {
    this.#report(mail, message, {
      kind: 'delayed',
      recipients: recipients.map((index, i) => ({ index, reply: lastReplies[i] ?? '', remote: '' })),
      changes: [],
    });
  }

  /** An item of the message is done. */
  close(mail: Mail): void {
    mail.open -= 1;
    if (mail.open === 0) this.#parts.ledger.remove(mail);
  }

  /** Resolves when no report is under way, or after `stop`. */
  async reported(): Promise<void> {
    while (this.#reporting.size > 0 && !this.#stopped) await Promise.race([...this.#reporting, this.#stop.promise]);
  }

  /** Reports that fail are not repeated: what they tell of is still pending on the disk, and found at the next start. */
  stop(): void {
    this.#stopped = true;
    this.#stop.resolve();
  }

  #tellExpiry({ message, recipients }: Result, outcomes: readonly RecipientOutcome[], now: number): void {
    const expired = recipients.filter((_, i) => outcomes[i]?.reply.startsWith(replies.expired) === true);
    if (expired.length > 0) tellExpiry(this.#parts.journal, message, expired, now);
  }

  #report(mail: Mail, message: StoredMessage, report: OwedReport): void {
    mail.open += 1;
    const under = this.#deliverReport(mail, message, report).finally(() => this.#reporting.delete(under));
    this.#reporting.add(under);
  }

  /** Never rejects. */
  async #deliverReport(mail: Mail, message: StoredMessage, { kind, recipients, changes }: OwedReport): Promise<void> {
    const { ledger, notifier, clock, faults } = this.#parts;
    const fault = `report '${kind}' on message ${message.id}`;
    let told = false;
    for (;;) {
      try {
        await notifier.notify({ kind, message, recipients });
        break;
      } catch (error) {
        faults.begin(fault, `the ${fault} cannot be written, and is tried again: ${(error as Error).message}`);
        // A delivery must not happen again because a report of it could not be written.
        if (!told && (kind === 'delivered' || kind === 'relayed')) ledger.change(mail, changes);
        told = true;
      }
      if (this.#stopped) return;
      await Promise.race([this.#stop.promise, new Promise<void>((resolve) => clock.after(reportAgainMs, resolve))]);
      if (this.#stopped) return;
    }
    if (told) faults.end(fault);
    if (kind === 'delayed' && mail.open > 1)
      this.#noteDelay(
        mail,
        recipients.map(({ index }) => index),
      );
    else if (mail.open > 1) ledger.change(mail, changes);
    this.close(mail);
  }

  #noteDelay(mail: Mail, recipients: readonly number[]): void {
    const states = this.#parts.ledger.current(mail)?.recipients ?? [];
    this.#parts.ledger.change(
      mail,
      recipients.flatMap((index) => {
        const state = states[index];
        return state?.status === 'pending' ? [[index, { ...state, delayNotified: true }] as const] : [];
      }),
    );
  }
}
