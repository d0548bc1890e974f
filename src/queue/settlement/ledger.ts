import type { FaultReport } from '../../base/index.ts';
import { type RecipientState, type Revision, type Spool, SpoolError, type StoredMessage } from '../model/contract.ts';
import type { Mail } from '../model/mail.ts';
import type { QueueClock } from '../table/queue-clock.ts';
import type { MailCache } from './mail-cache.ts';

/** A write that failed is tried again after this time, in milliseconds. */
const againMs = 2_000;

const fault = 'outcomes';

/** What is still to be written about a message. */
interface Debt {
  remove: boolean;
  /** Changed again since the write under way began. */
  changed: boolean;
}

/** New state of one recipient. */
export type StateChange = readonly [recipient: number, state: RecipientState];

/**
 * Brings recipient states to the disk. There is one newest version of a message's states, in memory until it is durable, so
 * outcomes of different next hops never overwrite each other; changes that come while a write runs share the next one.
 */
export class Ledger {
  readonly #spool: Spool;
  readonly #cache: MailCache;
  readonly #clock: QueueClock;
  readonly #faults: FaultReport;
  #isFailing = false;
  readonly #debts = new Map<Mail, Debt>();
  #onIdle: (() => void)[] = [];
  #stopped = false;

  constructor(spool: Spool, cache: MailCache, { clock, faults }: { clock: QueueClock; faults: FaultReport }) {
    this.#spool = spool;
    this.#cache = cache;
    this.#clock = clock;
    this.#faults = faults;
    cache.isPinned = (mail) => this.#debts.has(mail);
  }

  /** The message with its newest states; undefined when it has left. Throws SpoolError for a damaged record. */
  current(mail: Mail): StoredMessage | undefined {
    return mail.hot?.message ?? this.#spool.get(mail.id);
  }

  /** As `current`, and undefined for a damaged record too. */
  readable(mail: Mail): StoredMessage | undefined {
    try {
      return this.current(mail);
    } catch (error) {
      if (error instanceof SpoolError) return undefined;
      throw error;
    }
  }

  change(mail: Mail, changes: readonly StateChange[]): void {
    const message = this.current(mail);
    if (message === undefined || changes.length === 0) return;
    const recipients = message.recipients.slice();
    for (const [recipient, state] of changes) recipients[recipient] = state;
    mail.hot = { message: { ...message, recipients }, content: mail.hot?.content };
    this.#owe(mail, false);
  }

  /** Durable when resolved; undefined when the message has left. Throws SpoolError: then the message is what it was. */
  async revise(mail: Mail, revision: Revision): Promise<StoredMessage | undefined> {
    const message = this.current(mail);
    if (message === undefined) return undefined;
    const { envelope, facts, recipients } = revision;
    this.#cache.release(mail);
    // Already now: a change of states that comes meanwhile is one of the new recipients.
    mail.hot = { message: { ...message, envelope, facts, recipients, categorized: true }, content: undefined };
    try {
      const revised = await this.#spool.revise(mail.id, revision);
      if (!this.#debts.has(mail)) mail.hot = undefined;
      return revised;
    } catch (error) {
      mail.hot = { message, content: undefined };
      this.#owe(mail, false);
      throw error;
    }
  }

  /** Nothing of the message is left to do. */
  remove(mail: Mail): void {
    this.#cache.release(mail);
    this.#owe(mail, true);
  }

  /** Resolves when everything is on the disk, or, after `stop`, when nothing more is tried. */
  async settled(): Promise<void> {
    while (this.#debts.size > 0 && !this.#stopped) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Writes that fail are not repeated any more. */
  stop(): void {
    this.#stopped = true;
    this.#tellIdle();
  }

  #owe(mail: Mail, remove: boolean): void {
    const debt = this.#debts.get(mail);
    if (debt !== undefined) {
      debt.changed = true;
      debt.remove ||= remove;
      return;
    }
    this.#debts.set(mail, { remove, changed: false });
    this.#pay(mail);
  }

  #pay(mail: Mail): void {
    const debt = this.#debts.get(mail);
    if (debt === undefined) return;
    debt.changed = false;
    const removing = debt.remove;
    const write = removing
      ? this.#spool.remove(mail.id)
      : this.#spool.update(mail.id, mail.hot?.message.recipients ?? []);
    write.then(
      () => {
        if (this.#isFailing) this.#faults.end(fault);
        this.#isFailing = false;
        if (debt.changed && !removing) this.#pay(mail);
        else this.#paid(mail);
      },
      // Lost only if the process dies meanwhile, and then what is lost is that something was delivered.
      (error: Error) => {
        this.#isFailing = true;
        this.#faults.begin(
          fault,
          `what became of ${this.#debts.size} messages cannot be written (if the process ends now, they are delivered again): ${error.message}`,
        );
        if (!this.#stopped) this.#clock.after(againMs, () => this.#pay(mail));
      },
    );
  }

  #paid(mail: Mail): void {
    this.#debts.delete(mail);
    if (!this.#cache.has(mail)) mail.hot = undefined;
    if (this.#debts.size === 0) this.#tellIdle();
  }

  #tellIdle(): void {
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}
