import type { ReplyPhase } from '../../mail/index.ts';
import type { DeliveryItem, RecipientOutcome } from '../../queue/index.ts';
import { ConnectionLost } from '../connection/connection-lost.ts';
import type { Dialogue } from '../connection/connection-settings.ts';
import type { EdgeSmtpConnection } from '../connection/edge-smtp-connection.ts';
import { slowestBytesPerSecond } from '../connection/phase-timeouts.ts';
import type { PeerReply } from '../connection/reply-reader.ts';
import { ContentError, sendContent } from '../content/content-sender.ts';
import type { EnvelopePlan } from './envelope-plan.ts';

type Sendable = Extract<EnvelopePlan, { kind: 'send' }>;

/** Which reply is awaited. 'overtaken': the lone dot after a 354 that nobody should have given. */
type Stage = 'rset' | 'mail' | 'rcpt' | 'data' | 'content' | 'final' | 'overtaken' | 'over';

export interface TransactionResult {
  /** One for each of plan.recipients, in that order. Undefined: nothing was said about it before the connection ended. */
  readonly outcomes: readonly (RecipientOutcome | undefined)[];
  /** The peer took MAIL, so it and the network work. */
  readonly begun: boolean;
  /** The end of data was sent and not answered: the peer may have the message, sending it again may duplicate it. */
  readonly uncertain: boolean;
  /** RSET is needed before the next MAIL. */
  readonly dirty: boolean;
  /** Places in plan.recipients that were one too many for the peer. */
  readonly overflow: readonly number[];
  /** A fault of this program, never of the peer. */
  readonly fault?: Error;
}

/**
 * One message to one peer: MAIL, RCPT for each recipient, DATA (BDAT for binary content), content; in one write with PIPELINING (RFC 2920), one by
 * one without. Each recipient is settled by its own reply.
 */
export class Transaction implements Dialogue {
  readonly #connection: EdgeSmtpConnection;
  readonly #item: DeliveryItem;
  readonly #plan: Sendable;
  readonly #outcomes: (RecipientOutcome | undefined)[];
  /** Positions in the plan of recipients that the peer took. */
  readonly #accepted: number[] = [];
  readonly #tooMany: number[] = [];
  #stage: Stage;
  /** Recipient whose RCPT reply, or with LMTP whose final reply, is next. */
  #next = 0;
  #mailRefused = false;
  #begun = false;
  #dataTaken = false;
  #uncertain = false;
  #fault: Error | undefined;
  #done: ((result: TransactionResult) => void) | undefined;

  constructor(connection: EdgeSmtpConnection, item: DeliveryItem, plan: Sendable, reset: boolean) {
    this.#connection = connection;
    this.#item = item;
    this.#plan = plan;
    this.#outcomes = new Array<RecipientOutcome | undefined>(plan.recipients.length).fill(undefined);
    this.#stage = reset ? 'rset' : 'mail';
  }

  /** Never rejects: what goes wrong is in the result and in connection.loss. */
  run(): Promise<TransactionResult> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#connection.begin(this);
      if (this.#stage === 'over') return;
      const { messageMs } = this.#connection.timeouts;
      this.#connection.limit(messageMs + (this.#item.message.facts.size / slowestBytesPerSecond) * 1_000);
      this.#connection.expect(this.#connection.timeouts.mailMs, 'waiting for the reply to MAIL');
      if (this.#connection.capabilities.pipelining) this.#connection.command(this.#group());
      else this.#connection.command(this.#stage === 'rset' ? 'RSET\r\n' : `${this.#plan.mail}\r\n`);
    });
  }

  reply(reply: PeerReply): void {
    // RFC 5321 §3.8: whatever it answers, the peer is closing the connection, and has not taken the message.
    if (reply.code === 421) {
      this.#uncertain = false;
      return this.#connection.abandon('the peer is closing the connection', 'refused', reply.text);
    }
    switch (this.#stage) {
      case 'rset':
        return this.#advance('mail', this.#plan.mail);
      case 'mail':
        return this.#onMail(reply);
      case 'rcpt':
        return this.#onRcpt(reply);
      case 'data':
        return this.#onData(reply);
      case 'final':
        return this.#onFinal(reply);
      case 'content':
        return this.#onEarly(reply);
      case 'overtaken':
        return this.#end();
      case 'over':
        return this.#connection.abandon('the peer sent a reply that nobody asked for', 'protocol', reply.text);
    }
  }

  lost(_loss: ConnectionLost): void {
    this.#end();
  }

  /** RFC 2920 §3.1: DATA ends the group; RSET and MAIL may stand anywhere in it. */
  #group(): string {
    const reset = this.#stage === 'rset' ? 'RSET\r\n' : '';
    const data = this.#byChunk ? '' : 'DATA\r\n';
    return `${reset}${this.#plan.mail}\r\n${this.#plan.rcpts.join('\r\n')}\r\n${data}`;
  }

  /** RFC 3030 §3: what is no lines goes by BDAT, to which no 354 is given. */
  get #byChunk(): boolean {
    return this.#item.message.envelope.body === 'BINARYMIME';
  }

  #onMail(reply: PeerReply): void {
    if (isPositive(reply)) {
      this.#begun = true;
      return this.#advance('rcpt', this.#plan.rcpts[0] ?? '');
    }
    this.#mailRefused = true;
    this.#outcomes.fill(refusal(reply, 'MAIL'));
    if (!this.#connection.capabilities.pipelining) return this.#end();
    this.#advance('rcpt', '');
  }

  #onRcpt(reply: PeerReply): void {
    const position = this.#next;
    this.#next += 1;
    if (!this.#mailRefused) {
      if (isPositive(reply)) this.#accepted.push(position);
      else if (tooMany.test(reply.text)) this.#overflow(position, reply);
      else this.#outcomes[position] = refusal(reply, 'RCPT');
    }
    if (this.#next < this.#plan.rcpts.length) return this.#advance('rcpt', this.#plan.rcpts[this.#next] ?? '');
    if (this.#accepted.length === 0 && (this.#byChunk || !this.#connection.capabilities.pipelining)) return this.#end();
    if (this.#byChunk) return this.#sendContent();
    this.#advance('data', 'DATA');
  }

  #overflow(position: number, reply: PeerReply): void {
    this.#tooMany.push(position);
    this.#outcomes[position] = {
      kind: 'deferred',
      reply: reply.text,
      phase: 'RCPT',
    };
  }

  #onData(reply: PeerReply): void {
    const go = reply.code >= 300 && reply.code < 400;
    if (this.#accepted.length > 0 && !this.#mailRefused) {
      if (go) return this.#sendContent();
      this.#settleAccepted(isPositive(reply) ? { kind: 'deferred', reply: oddReply(reply) } : refusal(reply, 'DATA'));
      return this.#end();
    }
    if (!go) return this.#end();
    // RFC 2920 §3.1: a peer that takes DATA with no recipient gets a lone dot, and what it says to that means nothing.
    // One that refused MAIL and takes DATA cannot be trusted with a dot either.
    if (this.#mailRefused)
      return this.#connection.abandon('the peer took DATA after it refused MAIL', 'protocol', reply.text);
    this.#stage = 'overtaken';
    this.#dataTaken = true;
    this.#connection.expect(this.#connection.timeouts.finalMs, 'waiting for the reply to an empty message');
    this.#connection.command('.\r\n');
  }

  #sendContent(): void {
    this.#stage = 'content';
    this.#dataTaken = true;
    const { timeouts } = this.#connection;
    this.#connection.expect(timeouts.blockMs, 'sending content');
    const sending = sendContent(this.#connection, this.#item, () => {
      if (this.#stage !== 'content') return;
      this.#stage = 'final';
      this.#uncertain = true;
      this.#next = 0;
      this.#connection.expect(timeouts.finalMs, 'waiting for the reply to the message');
    });
    sending?.catch((error: unknown) => {
      if (error instanceof ContentError || error instanceof ConnectionLost)
        return this.#connection.abandon(error.message);
      // Its words are for the service log: nothing of them goes into a reply, a report or a queue.
      this.#fault = error instanceof Error ? error : new Error('the content could not be sent', { cause: error });
      this.#connection.abandon('a fault of this server');
    });
  }

  #onFinal(reply: PeerReply): void {
    const outcome: RecipientOutcome = isPositive(reply)
      ? { kind: this.#taken(), reply: reply.text }
      : refusal(reply, 'DATA');
    if (!this.#connection.isLmtp) {
      this.#settleAccepted(outcome);
      this.#uncertain = false;
      return this.#end();
    }
    // RFC 2033 §4.2: one reply for each recipient that was taken, in order.
    this.#outcomes[this.#accepted[this.#next] ?? 0] = outcome;
    this.#next += 1;
    if (this.#next < this.#accepted.length) return;
    this.#uncertain = false;
    this.#end();
  }

  /** RFC 3461 §5.2.2: a host without DSN ends the chain of those who would report success. LMTP is delivery itself. */
  #taken(): 'delivered' | 'relayed' {
    return this.#connection.isLmtp || this.#connection.capabilities.dsn ? 'delivered' : 'relayed';
  }

  /** A reply in the middle of the content: it is meant for the message, and there is no way to stop but to hang up. */
  #onEarly(reply: PeerReply): void {
    if (!isPositive(reply)) this.#settleAccepted(refusal(reply, 'DATA'));
    this.#connection.abandon('the peer answered before the content was complete', 'refused', reply.text);
  }

  #advance(stage: 'mail' | 'rcpt' | 'data', command: string): void {
    this.#stage = stage;
    const { timeouts } = this.#connection;
    const ms = stage === 'mail' ? timeouts.mailMs : stage === 'rcpt' ? timeouts.rcptMs : timeouts.dataMs;
    this.#connection.expect(ms, waitingFor[stage]);
    if (!this.#connection.capabilities.pipelining) this.#connection.command(`${command}\r\n`);
  }

  #settleAccepted(outcome: RecipientOutcome): void {
    for (const position of this.#accepted) this.#outcomes[position] = outcome;
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#connection.finish();
    this.#done?.({
      outcomes: this.#outcomes,
      begun: this.#begun,
      uncertain: this.#uncertain,
      dirty: this.#begun && !this.#dataTaken,
      overflow: this.#tooMany,
      ...(this.#fault !== undefined && { fault: this.#fault }),
    });
  }
}

const waitingFor = {
  mail: 'waiting for the reply to MAIL',
  rcpt: 'waiting for the reply to RCPT',
  data: 'waiting for the reply to DATA',
} as const;

/**
 * RFC 5321 §4.5.3.1.10: 452 to RCPT, or 552 from old servers, says that this was one recipient too many; with an enhanced code
 * only 5.3 does (RFC 3463 §3.6), 2.2 is a full mailbox.
 */
const tooMany = /^[45]52 (?:[45]\.5\.3\b|(?!\d\.\d))/;

function isPositive({ code }: PeerReply): boolean {
  return code >= 200 && code < 300;
}

/** 4xx and what is out of place: again later; 5xx: never. */
function refusal(reply: PeerReply, phase: ReplyPhase): RecipientOutcome {
  if (reply.code >= 500) return { kind: 'failed', reply: reply.text, phase };
  return {
    kind: 'deferred',
    reply: reply.code >= 400 ? reply.text : oddReply(reply),
    phase,
  };
}

function oddReply(reply: PeerReply): string {
  return `451 4.5.0 The peer answered out of place: "${reply.text}"`;
}
