import type { DeliveryItem, DeliveryWork, RecipientOutcome } from '../queue/index.ts';
import type { ConnectionLost } from './connection/connection-lost.ts';
import type { EdgeSmtpConnection } from './connection/edge-smtp-connection.ts';
import { type ContentChange, type FittedItem, fitItem } from './content/fitted-item.ts';
import { formItem } from './content/formed-item.ts';
import type { ContentForm } from './content/remote-domain-form.ts';
import { screenItem } from './content/screened-item.ts';
import { planEnvelope } from './transaction/envelope-plan.ts';
import { recipientBatches } from './transaction/recipient-batches.ts';
import { Transaction } from './transaction/transaction.ts';

/** What the remote domain of a recipient says of content; undefined: nothing. */
export type FormOf = (domain: string) => ContentForm | undefined;

export interface CourierOptions {
  /** How long the connection waits for work, in milliseconds. */
  readonly idleMs: number;
  /** SmtpMaxMessagesPerConnection; Infinity: no limit. */
  readonly maxMessages: number;
  /** 'host [ip]:port', for reports. */
  readonly remote: string;
  /** TLS was not tried although it may be: a peer that asks for it gets another connection. Default false. */
  readonly mayStartTls?: boolean;
  /** Beginnings and names of header fields that the peer must not get; none when absent. */
  readonly forbiddenFields?: readonly string[];
  /** Its fields of the organization cross under another name. */
  readonly crossesPremises?: boolean;
  /** RequireOorg: the organization that XOORG tells of; absent: the peer need not offer it. */
  readonly organization?: string | undefined;
  /** The form that a recipient's domain asks for; absent: none asks for any. */
  readonly formOf?: FormOf | undefined;
  /** False: what the connection was opened for is no longer what the configuration says. Default true. */
  readonly mayGoOn?: () => boolean;
  /** Hears what had to be changed in the content of a message. */
  readonly onChange?: (item: DeliveryItem, changes: readonly ContentChange[]) => void;
}

export interface Journey {
  /** Messages that the peer began to take, or answered. */
  readonly messages: number;
  /** False: the connection ended while it waited for work, which says nothing about the peer. */
  readonly tried: boolean;
  /** Octets of content sent. */
  readonly bytes: number;
  /** Why it ended early; undefined when it ended with QUIT. */
  readonly loss: ConnectionLost | undefined;
  /** The peer takes nothing without TLS: its message was given back. */
  readonly wantsTls: boolean;
}

/** Carries messages over one open connection until there are none, or the connection has had enough. */
export class Courier {
  readonly #connection: EdgeSmtpConnection;
  readonly #options: CourierOptions;
  #messages = 0;
  /** MAIL commands, for the next hop's own count. */
  #mails = 0;
  #wantsTls = false;
  #bytes = 0;
  #reset = false;
  #tried = false;

  constructor(connection: EdgeSmtpConnection, options: CourierOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Every item taken from `work` is settled or given back when this resolves. Rejects for a fault of ours only. */
  async carry(work: DeliveryWork): Promise<Journey> {
    try {
      return await this.#carry(work);
    } catch (error) {
      // The queue takes back what is not settled, and hears of the fault; the peer hears nothing of it.
      this.#connection.abandon('a fault of this server');
      throw error;
    }
  }

  async #carry(work: DeliveryWork): Promise<Journey> {
    const connection = this.#connection;
    const limit = this.#options.maxMessages > 0 ? this.#options.maxMessages : Number.POSITIVE_INFINITY;
    this.#tried = connection.loss !== undefined;
    const hasRoom = (): boolean => this.#messages < limit && this.#mails < connection.capabilities.mailMax;
    while (connection.loss === undefined && hasRoom() && !work.signal.aborted && !this.#wantsTls) {
      const given = work.next(this.#options.idleMs);
      const item = given instanceof Promise ? await this.#whileIdle(given) : given;
      if (item === undefined) break;
      if (this.#options.mayGoOn?.() === false) {
        item.release();
        break;
      }
      this.#tried = true;
      await this.#deliver(item);
    }
    const { loss } = connection;
    await connection.goodbye();
    return { messages: this.#messages, tried: this.#tried, bytes: this.#bytes, loss, wantsTls: this.#wantsTls };
  }

  /** The peer may hang up while we wait; an item that comes after that goes back untouched. */
  async #whileIdle(given: Promise<DeliveryItem | undefined>): Promise<DeliveryItem | undefined> {
    const item = await Promise.race([given, this.#connection.lostWhileIdle()]);
    if (!(item instanceof Error)) {
      if (item === undefined || this.#connection.loss === undefined) return item;
      item.release();
      return undefined;
    }
    void given.then((late) => late?.release());
    return undefined;
  }

  async #deliver(item: DeliveryItem): Promise<void> {
    const outcomes = new Array<RecipientOutcome | undefined>(item.recipients.length).fill(undefined);
    const fitting = this.#fit(item);
    const fitted = fitting instanceof Promise ? await fitting : fitting;
    const { capabilities, isLmtp, peer } = this.#connection;
    if (item.message.envelope.tls === 'required' && !capabilities.requireTls && !isLmtp)
      return this.#refuse(item, `550 5.7.30 ${peer} was not found fit for REQUIRETLS, which the message needs`);
    if (this.#options.organization !== undefined && !capabilities.oorg)
      return this.#refuse(item, `451 4.7.0 ${peer} does not offer XOORG, which RequireOorg asks for`, 'deferred');
    if (fitted.refusal !== undefined) return this.#refuse(item, fitted.refusal);
    if (fitted.changes.length > 0) this.#options.onChange?.(item, fitted.changes);
    const [firstBatch, ...others] = recipientBatches(fitted.item, capabilities) ?? [undefined];
    if ((await this.#transactAll(fitted.item, outcomes, firstBatch, true)) === 'give-back') return item.release();
    for (const batch of others) {
      if (this.#connection.loss !== undefined || this.#mails >= capabilities.mailMax) break;
      await this.#transactAll(fitted.item, outcomes, batch, false);
    }
    item.settle(
      outcomes.map(
        (outcome) => outcome ?? (this.#connection.loss === undefined ? mailMaxReached : this.#lossOutcome(false)),
      ),
      this.#options.remote,
    );
  }

  /** These recipients, in more than one transaction where the peer turns out to limit their number. */
  async #transactAll(
    item: DeliveryItem,
    outcomes: (RecipientOutcome | undefined)[],
    batch: readonly number[] | undefined,
    isFirst: boolean,
  ): Promise<'give-back' | undefined> {
    let positions = batch;
    let first = isFirst;
    for (;;) {
      const round = await this.#transact(item, outcomes, positions, first);
      if (round === 'give-back' || round === undefined) return round;
      positions = round;
      first = false;
    }
  }

  /** The content as the next hop may have it, and can take it. At once for nearly every message. */
  #fit(item: DeliveryItem): FittedItem | Promise<FittedItem> {
    const screened = screenItem(item, {
      forbiddenFields: this.#options.forbiddenFields ?? [],
      crossesPremises: this.#options.crossesPremises ?? false,
    });
    if (screened instanceof Promise) return screened.then((known) => this.#fitScreened(known));
    return screened.changes.length === 0 && this.#options.formOf === undefined
      ? fitItem(screened.item, this.#connection.capabilities)
      : this.#fitScreened(screened);
  }

  async #fitScreened(screened: FittedItem): Promise<FittedItem> {
    const formed = await this.#form(screened.item);
    const fitted = await fitItem(formed.item, this.#connection.capabilities);
    return { ...fitted, changes: [...screened.changes, ...formed.changes, ...fitted.changes] };
  }

  /** A message is one: where one of its recipients here has a form, the others get it too. */
  async #form(item: DeliveryItem): Promise<FittedItem> {
    const { formOf } = this.#options;
    const domains = item.recipients.map((index) => item.message.envelope.recipients[index]?.domain ?? '');
    const form = formOf && domains.map(formOf).find((one) => one !== undefined);
    return form === undefined ? { item, changes: [] } : await formItem(item, form);
  }

  #refuse(item: DeliveryItem, reply: string, kind: 'failed' | 'deferred' = 'failed'): void {
    item.settle(
      item.recipients.map(() => ({ kind, reply })),
      '',
    );
  }

  /** One transaction. Returns the recipients that deserve another one at once, because the peer limits their number. */
  async #transact(
    item: DeliveryItem,
    outcomes: (RecipientOutcome | undefined)[],
    positions: readonly number[] | undefined,
    first: boolean,
  ): Promise<readonly number[] | 'give-back' | undefined> {
    const connection = this.#connection;
    const plan = planEnvelope(item, connection.capabilities, connection.peer, positions, this.#options.organization);
    if (plan.kind === 'refused') {
      for (const i of positions ?? outcomes.keys()) outcomes[i] ??= { kind: 'failed', reply: plan.reply };
      return undefined;
    }
    for (const { position, reply } of plan.refused) outcomes[position] = { kind: 'failed', reply };
    if (plan.recipients.length === 0) return undefined;
    this.#mails += 1;
    const result = await new Transaction(connection, item, plan, this.#reset).run();
    if (result.fault !== undefined) throw result.fault;
    this.#reset = result.dirty;
    if (first && this.#options.mayStartTls === true && result.outcomes.every(asksForTls)) {
      this.#wantsTls = true;
      return 'give-back';
    }
    if (first && (result.begun || connection.loss === undefined)) this.#messages += 1;
    // A kept connection that the peer had already given up: nothing happened, the message goes on another one.
    const stale = connection.loss !== undefined && !result.begun && this.#messages > 0 && first;
    if (stale && result.outcomes.every((outcome) => outcome === undefined)) return 'give-back';
    const rest = this.#lossOutcome(result.uncertain);
    result.outcomes.forEach((outcome, i) => {
      outcomes[plan.recipients[i] ?? 0] = outcome ?? rest;
    });
    const taken = result.outcomes.some((outcome) => outcome?.kind === 'delivered' || outcome?.kind === 'relayed');
    if (taken) this.#bytes += item.message.facts.size;
    // RFC 5321 §4.5.3.1.10: the overflow goes in another transaction, as long as each one gets somebody through.
    if (!taken || connection.loss !== undefined || result.overflow.length === 0) return undefined;
    return result.overflow.map((place) => plan.recipients[place] ?? 0);
  }

  /** For recipients that the end of the connection left without an answer. */
  #lossOutcome(uncertain: boolean): RecipientOutcome {
    const { loss } = this.#connection;
    if (uncertain) {
      const why = loss?.message ?? 'no answer';
      return {
        kind: 'deferred',
        reply: `451 4.4.2 Connection lost after the end of the message, before its answer; it may arrive twice: ${why}`,
      };
    }
    if (loss?.reply !== undefined && /^4\d\d/.test(loss.reply)) return { kind: 'deferred', reply: loss.reply };
    const words = loss?.reply === undefined ? '' : ` ("${loss.reply}")`;
    return { kind: 'deferred', reply: `451 4.4.2 Connection lost: ${loss?.message ?? 'no answer'}${words}` };
  }
}

/** RFC 9422 §4.2: the rest goes on another connection. */
const mailMaxReached: RecipientOutcome = {
  kind: 'deferred',
  reply: '452 4.5.3 The next hop takes no more transactions in one session (MAILMAX)',
};

/** RFC 3207 §4: what a server that requires TLS answers to every other command. */
function asksForTls(outcome: RecipientOutcome | undefined): boolean {
  return outcome?.kind === 'failed' && /^530 .*\b(?:STARTTLS|TLS)\b/i.test(outcome.reply);
}
