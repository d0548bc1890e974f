import type { DecisionEvent } from '../../logs/index.ts';
import type { Envelope, EnvelopeRecipient } from '../../mail/index.ts';
import type { MailArgument } from '../../smtp/index.ts';
import type { ChunkedContent } from '../content/chunked-content.ts';
import type { SinkTransaction } from '../content/message-sink.ts';

/** The session, as far as a transaction tells what it decided. */
export interface DecisionTeller {
  readonly origin: { readonly id: string };
  emit(event: DecisionEvent): void;
}

/** One mail transaction: from MAIL to the end of the data (RFC 5321 §3.3). */
export class Transaction {
  readonly argument: MailArgument;
  readonly from: string;
  /** Where it goes. */
  readonly sink: SinkTransaction;
  #recipients: EnvelopeRecipient[] = [];
  /** A RCPT was refused: DATA without recipients is then answered with 554. */
  recipientRefused = false;
  /** The content, when it comes by BDAT and has begun. */
  chunked: ChunkedContent | undefined;
  #acceptedAt: number;
  /** Recipients that follow each other and are taken for the same reason: one decision. */
  #accepted: {
    at: number;
    readonly because: string;
    readonly recipients: string[];
  }[] = [];
  #addresses = new Set<string>();
  #told = false;

  constructor(argument: MailArgument, sink: SinkTransaction, at: number) {
    this.argument = argument;
    this.sink = sink;
    this.from = argument.from?.address ?? '';
    this.#acceptedAt = at;
  }

  get recipients(): readonly EnvelopeRecipient[] {
    return this.#recipients;
  }

  /** An agent changed them. */
  set recipients(recipients: readonly EnvelopeRecipient[]) {
    this.#recipients = [...recipients];
  }

  /** The address was named before: answered alike, delivered once. Local parts may differ by case (RFC 5321 §2.4). */
  has(address: string): boolean {
    return this.#addresses.has(address);
  }

  add(recipient: EnvelopeRecipient, because: string, at: number): void {
    this.#recipients.push(recipient);
    this.#addresses.add(recipient.address);
    const last = this.#accepted.at(-1);
    if (last?.because !== because) this.#accepted.push({ at, because, recipients: [recipient.address] });
    else {
      last.at = at;
      last.recipients.push(recipient.address);
    }
  }

  get envelope(): Envelope {
    const { body, smtpUtf8, ret, envid, requireTls } = this.argument;
    return {
      from: this.from,
      recipients: this.recipients,
      body,
      smtpUtf8,
      ...(ret === undefined ? {} : { ret }),
      ...(envid === undefined ? {} : { envid }),
      ...(requireTls === true ? { tls: 'required' } : {}),
    };
  }

  /**
   * Tells what was accepted, once: with the message's id as soon as there is one, so that its chain of decisions holds
   * its own recipients and not those of a hundred others that came on the same connection.
   */
  tell(session: DecisionTeller, message: number): void {
    if (this.#told) return;
    this.#told = true;
    const { id } = session.origin;
    session.emit({ at: this.#acceptedAt, session: id, message, kind: 'sender-accepted', from: this.from });
    for (const { at, recipients, because } of this.#accepted)
      session.emit({ at, session: id, message, kind: 'recipients-accepted', recipients, because });
  }
}
