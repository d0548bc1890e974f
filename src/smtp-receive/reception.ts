import { HeaderBlock, type HeaderFacts } from '../mail/index.ts';
import type { Judgement } from '../pipeline/index.ts';
import type { ContentFacts, MessageWriter } from '../queue/index.ts';
import { ContentScanner, type Reply, replies, SmtpError } from '../smtp/index.ts';
import type { ContentSink } from './edge-stream.ts';
import { newMessage, queuedEvent, queuedReply, receivedField } from './message-records.ts';
import type { Session } from './session.ts';
import { asRefusal } from './spool-refusal.ts';
import type { Transaction } from './transaction.ts';

/** Why a message is not taken. The rest of it is read and thrown away, then the reply is given. */
interface Refusal {
  readonly reply: Reply;
  readonly reason: string;
}

/**
 * One message on its way from the wire to the queue. The header is held until it is complete, because Received comes
 * before it and because it may refuse the message; everything behind it goes straight to the writer.
 */
export class Reception implements ContentSink {
  #session: Session;
  #transaction: Transaction;
  #writer: MessageWriter;
  #scanner = new ContentScanner();
  /** Chunks that hold the header; undefined once it was dealt with. */
  #held: Buffer[] | undefined = [];
  #header: Buffer = Buffer.alloc(0);
  #facts: HeaderFacts | undefined;
  /** Octets of our Received field. */
  #added = 0;
  #refusal: Refusal | undefined;
  /** An agent had it thrown away: answered as if it were queued. */
  #discarded = false;
  #disconnect = false;
  #writing = true;
  #committing = false;
  #receivedAt: number;

  constructor(session: Session, transaction: Transaction, writer: MessageWriter) {
    this.#session = session;
    this.#transaction = transaction;
    this.#writer = writer;
    this.#receivedAt = session.parts.clock.now();
  }

  /** Internal message id. */
  get id(): number {
    return this.#writer.id;
  }

  get stage(): 'data' | 'commit' {
    return this.#committing ? 'commit' : 'data';
  }

  write(chunk: Buffer): void | Promise<void> {
    if (!this.#writing) return;
    return this.#session.guard(() => this.#take(chunk));
  }

  end(): void | Promise<void> {
    return this.#session.guard(() => {
      this.#scanner.end();
      const wait = this.#writing && this.#held !== undefined ? this.#headerComplete(this.#held) : undefined;
      return wait === undefined ? this.#conclude() : wait.then(() => this.#conclude());
    });
  }

  /** The connection is lost. A message that is complete is kept all the same: the client may have seen the answer. */
  cancel(reason: string): void {
    if (this.#committing) return;
    this.#session.log.refused('DATA', replies.internalError, `the message is incomplete: ${reason}`, this.id);
    this.#stop();
  }

  #take(chunk: Buffer): void | Promise<void> {
    this.#scanner.push(chunk);
    this.#checkContent();
    if (!this.#writing) return;
    const held = this.#held;
    if (held === undefined) return this.#store(chunk);
    held.push(chunk);
    if (this.#scanner.headerSize >= 0) return this.#headerComplete(held);
    this.#checkHeaderSize();
  }

  /** Limits that the next octet may break. */
  #checkContent(): void {
    const { maxMessageSize } = this.#session.origin.profile;
    const { size, bareLf, bareCr } = this.#scanner;
    if (size > maxMessageSize) {
      this.#refuse(replies.messageTooLarge, `the message is larger than MaxMessageSize ${maxMessageSize}`);
    } else if (this.#session.connector.bareLinefeedRejectionEnabled && (bareLf >= 0 || bareCr >= 0)) {
      const [reply, what, at] =
        bareLf >= 0 ? [replies.bareLineFeed, 'LF', bareLf] : [replies.bareCarriageReturn, 'CR', bareCr];
      this.#refuse(reply, `a bare ${what} stands at octet ${at}`);
    }
  }

  #checkHeaderSize(): void {
    const { maxHeaderSize } = this.#session.connector;
    const { size, headerSize } = this.#scanner;
    if ((headerSize < 0 ? size : headerSize) > maxHeaderSize) {
      this.#refuse(replies.headerTooLarge, `the header is larger than MaxHeaderSize ${maxHeaderSize}`);
    }
  }

  #headerComplete(held: readonly Buffer[]): void | Promise<void> {
    this.#held = undefined;
    this.#checkHeaderSize();
    if (!this.#writing) return;
    const first = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    this.#header = first.subarray(0, this.#scanner.headerSize);
    const facts = new HeaderBlock(this.#header).facts(this.#session.origin.profile.fqdn);
    this.#facts = facts;
    this.#checkHops(facts);
    const { onEndOfHeaders } = this.#session.parts.agents;
    if (!this.#writing || onEndOfHeaders === undefined) return this.#storeHeader(first);
    const seen = { session: this.#session.facts, envelope: this.#transaction.envelope, header: this.#header };
    return this.#session.afterwards(onEndOfHeaders(seen), (judgement) => {
      this.#obey(judgement);
      return this.#storeHeader(first);
    });
  }

  #checkHops({ hops, localHops }: HeaderFacts): void {
    const { maxHopCount, maxLocalHopCount } = this.#session.connector;
    if (hops > maxHopCount) this.#refuse(replies.tooManyHops, `${hops} Received fields, MaxHopCount is ${maxHopCount}`);
    else if (maxLocalHopCount > 0 && localHops > maxLocalHopCount) {
      this.#refuse(replies.tooManyHops, `it was here ${localHops} times, MaxLocalHopCount is ${maxLocalHopCount}`);
    }
  }

  #storeHeader(first: Buffer): void | Promise<void> {
    if (!this.#writing) return;
    const field = receivedField(this.#session, this.#transaction, { id: this.#writer.guid, at: this.#receivedAt });
    // Content without a header would become part of our field (RFC 5322 §2.2.3) but for an empty line between them.
    const received = Buffer.from(this.#header.length === 0 && first.length > 0 ? `${field}\r\n` : field);
    this.#added = received.length;
    const wait = this.#store(received);
    return wait === undefined ? this.#store(first) : wait.then(() => this.#store(first));
  }

  #store(chunk: Buffer): void | Promise<void> {
    if (!this.#writing) return;
    try {
      const wait = this.#writer.write(chunk);
      return wait === undefined ? undefined : wait.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The spool failed: the message is refused. Anything else is a bug and goes on up. */
  #failed(error: unknown): void {
    const refusal = asRefusal(error);
    if (!(refusal instanceof SmtpError)) throw error;
    this.#refuse(refusal.reply, refusal.reason);
  }

  #refuse(reply: Reply, reason: string): void {
    this.#refusal ??= { reply, reason };
    this.#stop();
  }

  #obey(judgement: Judgement | undefined): void {
    if (judgement === undefined || this.#refusal !== undefined) return;
    const { agent, verdict } = judgement;
    const reason = `${agent}: ${verdict.reason}`;
    this.#disconnect = verdict.kind === 'disconnect';
    if (verdict.kind !== 'discard') return this.#refuse(verdict.reply, reason);
    this.#discarded = true;
    this.#session.log.refused('DATA', this.#queuedReply(), `thrown away by ${reason}`, this.id);
    this.#stop();
  }

  /** Nothing more is written. */
  #stop(): void {
    if (!this.#writing) return;
    this.#writing = false;
    this.#held = undefined;
    this.#writer.abort().catch((error: unknown) => this.#session.parts.onFault?.(error, this.#session.origin.id));
  }

  /** All of it is here. */
  #conclude(): void | Promise<void> {
    if (this.#writing) this.#checkContent();
    const { onEndOfData } = this.#session.parts.agents;
    if (!this.#writing || onEndOfData === undefined) return this.#settle();
    const seen = {
      session: this.#session.facts,
      envelope: this.#transaction.envelope,
      header: this.#header,
      size: this.#scanner.size,
      messageId: this.#facts?.messageId ?? '',
      subject: this.#facts?.subject ?? '',
    };
    return this.#session.afterwards(onEndOfData(seen), (judgement) => {
      this.#obey(judgement);
      return this.#settle();
    });
  }

  #settle(): void | Promise<void> {
    if (this.#session.ended) return;
    if (this.#writing) return this.#commit();
    if (this.#discarded) this.#answer(this.#queuedReply());
    else this.#answerRefusal();
  }

  async #commit(): Promise<void> {
    const session = this.#session;
    this.#committing = true;
    this.#writing = false;
    const message = newMessage(session, this.#transaction, this.#contentFacts());
    try {
      await this.#writer.commit(message, this.#receivedAt + session.origin.messageLifetime * 1000);
    } catch (error) {
      const refusal = asRefusal(error);
      if (!(refusal instanceof SmtpError)) throw error;
      this.#refusal = { reply: refusal.reply, reason: refusal.reason };
      return this.#answerRefusal();
    }
    session.messages++;
    const reply = this.#queuedReply();
    session.emit(queuedEvent(session, this.#writer, message, reply));
    this.#answer(reply);
  }

  #contentFacts(): ContentFacts {
    const { size, headerSize, leadingDots, eightBit, utf8Header, bareCr, bareLf } = this.#scanner;
    return {
      size: size + this.#added,
      headerSize: headerSize + this.#added,
      leadingDots,
      eightBit,
      utf8Header,
      bareLines: bareCr >= 0 || bareLf >= 0,
      messageId: this.#facts?.messageId ?? '',
      subject: this.#facts?.subject ?? '',
    };
  }

  #queuedReply(): Reply {
    return queuedReply(this.#writer, this.#facts?.messageId ?? '', this.#session.origin.profile.serverFqdn);
  }

  #answerRefusal(): void {
    const { reply, reason } = this.#refusal ?? { reply: replies.internalError, reason: 'the message was lost' };
    this.#session.reception = undefined;
    this.#session.refuse('DATA', reply, reason, this.id);
    if (this.#disconnect) this.#session.end(reason);
    this.#afterwards();
  }

  #answer(reply: Reply): void {
    this.#session.reception = undefined;
    this.#session.reply(reply);
    this.#afterwards();
  }

  #afterwards(): void {
    if (this.#session.parts.draining()) this.#session.stop();
  }
}
