import type { Clock, SessionIds } from '../base/index.ts';
import type { Journal } from '../logs/index.ts';
import type { ConnectionResult, Deliverer, DeliveryItem, DeliveryWork, RecipientOutcome } from '../queue/index.ts';
import { deliverToMaildir, mailboxFolder } from './maildir.ts';

/** Where mailboxes are: folders of this machine, or whatever an LMTP server keeps (then `deliverer` is an LmtpSender). */
export type MailboxTarget =
  | { readonly kind: 'maildir'; readonly folder: string }
  | { readonly kind: 'lmtp'; readonly deliverer: Deliverer };

export interface MailboxParts {
  readonly journal: Journal;
  readonly sessions: SessionIds;
  readonly clock: Clock;
  /** MaxConcurrentMailboxDeliveries: mailboxes that are written at a time. */
  readonly atOnce: () => number;
}

/** How long one delivery waits for more work, in milliseconds. */
const idleMs = 2_000;

/** Delivers to mailboxes. */
export class MailboxDelivery implements Deliverer {
  readonly #target: MailboxTarget;
  readonly #parts: MailboxParts;
  #writing = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(target: MailboxTarget, parts: MailboxParts) {
    this.#target = target;
    this.#parts = parts;
  }

  async deliver(work: DeliveryWork): Promise<ConnectionResult> {
    if (this.#target.kind === 'lmtp') return this.#target.deliverer.deliver(work);
    const { folder } = this.#target;
    const { journal, clock } = this.#parts;
    const head = { session: this.#parts.sessions.next(), message: 0, host: folder, hop: work.hop.key };
    let messages = 0;
    let bytes = 0;
    journal.emit({ kind: 'connection-opened', at: clock.now(), ...head, remote: 'Maildir', local: '' });
    while (!work.signal.aborted) {
      const item = await work.next(idleMs);
      if (item === undefined) break;
      const outcomes = await Promise.all(item.recipients.map((index) => this.#inTurn(() => put(folder, item, index))));
      messages += 1;
      bytes += item.message.facts.size * outcomes.filter(({ kind }) => kind === 'delivered').length;
      item.settle(outcomes, 'Maildir');
    }
    journal.emit({ kind: 'connection-closed', at: clock.now(), ...head, messages, bytes });
    return { kind: 'done' };
  }

  /** Runs the work when fewer deliveries than may be are under way. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#writing >= this.#parts.atOnce()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#writing += 1;
    try {
      return await work();
    } finally {
      this.#writing -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** One recipient of one message. Never rejects. */
async function put(root: string, item: DeliveryItem, index: number): Promise<RecipientOutcome> {
  const { message } = item;
  const recipient = message.envelope.recipients[index];
  if (recipient === undefined) throw new RangeError(`message ${message.id} has no recipient ${index}`);
  let folder: string;
  try {
    folder = mailboxFolder(root, recipient.address, recipient.domain);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'failed', reply: '550 5.1.3 The address cannot be that of a mailbox here' };
  }
  const whole = item.content();
  try {
    await deliverToMaildir(folder, {
      // The same delivery has the same name, after a crash too.
      uniqueName: `${Math.floor(message.receivedAt / 1_000)}.${message.guid}R${index}`,
      head: Buffer.from(`Return-Path: <${message.envelope.from}>\r\nDelivered-To: ${recipient.address}\r\n`),
      content: whole === undefined ? item.stream() : [whole],
    });
    return { kind: 'delivered', reply: '250 2.1.5 Delivered to the mailbox' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
    // Nothing that a file system says is the sender's fault: mail waits until an administrator has mended it.
    if (code === 'ENOSPC') return { kind: 'deferred', reply: '452 4.3.1 No space left for mailboxes' };
    if (code === 'EDQUOT') return { kind: 'deferred', reply: '452 4.2.2 The mailbox is full' };
    return { kind: 'deferred', reply: `451 4.3.0 The mailbox could not be written${code === '' ? '' : ` (${code})`}` };
  }
}
