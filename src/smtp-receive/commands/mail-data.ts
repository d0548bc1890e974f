import { contains, parseIp } from '../../base/index.ts';
import { type Envelope, originalClient } from '../../mail/index.ts';
import { type AgentDecision, type EndOfDataArgs, endOfContent, type ReceiveOutcome } from '../../pipeline/index.ts';
import type { ContentFacts } from '../../queue/index.ts';
import { ContentScanner, type Reply, replies, SmtpError } from '../../smtp/index.ts';
import type { ChunkedContent } from '../content/chunked-content.ts';
import { ContentOutput } from '../content/content-output.ts';
import { HeldHeader } from '../content/held-header.ts';
import { MessageHeader } from '../content/message-header.ts';
import type { Refusal, SinkContent } from '../content/message-sink.ts';
import { missingFromRight } from '../rights/sender-right.ts';
import { tellAgentActed } from '../session/agent-acted.ts';
import type { CommandSession, MailDataState } from '../session/command-session.ts';
import { contentRefusal, headerRefusal, hopRefusal } from '../session/content-limits.ts';
import type { SizeLimit } from '../session/organization-limits.ts';
import { newMessage } from '../session/trace.ts';
import type { Transaction } from '../session/transaction.ts';
import { screenReceived } from './header-screening.ts';

/**
 * The mail data of one transaction (RFC 5321 §3.3) on its way from the wire to the sink. The header is held until it is
 * complete, because our trace field comes before it and because it may refuse the message; everything behind it streams.
 */
export class MailData implements ChunkedContent, MailDataState {
  readonly #session: CommandSession;
  readonly #transaction: Transaction;
  readonly #sink: SinkContent;
  readonly #output: ContentOutput;
  readonly #scanner = new ContentScanner();
  readonly #held: HeldHeader;
  readonly #sizeLimit: SizeLimit;
  readonly #receivedAt: number;
  #envelope: Envelope;
  #headerDone = false;
  /** Undefined until it is complete. */
  #header: MessageHeader | undefined;
  /** Why the message is not taken. The rest of it is read and thrown away, then the reply is given. */
  #refusal: Refusal | undefined;
  /** An agent had it thrown away: answered as if it were taken. */
  #discarded = false;
  #disconnect = false;
  #writing = true;
  #committing = false;
  #cancelled = false;

  constructor(session: CommandSession, transaction: Transaction, sink: SinkContent) {
    this.#session = session;
    this.#transaction = transaction;
    this.#sink = sink;
    this.#output = new ContentOutput(sink);
    this.#held = new HeldHeader(session.parts.heldOctets);
    this.#envelope = transaction.envelope;
    this.#sizeLimit = session.sizeLimit;
    this.#receivedAt = session.parts.clock.now();
  }

  /** Internal message id. */
  get id(): number {
    return this.#sink.id;
  }

  get #verb(): 'DATA' | 'BDAT' {
    return this.#transaction.chunked === undefined ? 'DATA' : 'BDAT';
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
      const wait = this.#writing && !this.#headerDone ? this.#headerComplete(this.#held.take()) : undefined;
      return wait === undefined ? this.#conclude() : wait.then(() => this.#conclude());
    });
  }

  get refused(): boolean {
    return !this.#writing;
  }

  beginChunk(octets: number): void {
    const limit = this.#sizeLimit;
    if (this.#scanner.size + octets <= limit.octets) return;
    this.#refuse(replies.messageTooLarge, `the message is larger than ${limit.parameter} ${limit.octets}`);
  }

  /** A refusal is the answer to every chunk until RSET or the last one: RFC 3030 §2 asks the client for RSET. */
  endChunk(octets: number): void {
    const session = this.#session;
    session.mailData = undefined;
    const { reply, reason } = this.#refusal ?? {};
    if (reply === undefined) session.reply(replies.chunkReceived(octets));
    else session.refuse('BDAT', reply, reason ?? '', this.id);
    if (this.#disconnect && reply !== undefined) session.end(reason ?? '');
    this.#afterwards();
  }

  /** The connection is lost. A message that is complete is kept all the same: the client may have seen the answer. */
  cancel(reason: string): void {
    if (this.#committing || this.#cancelled) return;
    this.#cancelled = true;
    this.#session.log.refused(this.#verb, replies.internalError, `the message is incomplete: ${reason}`, this.id);
    this.#stop();
  }

  #take(chunk: Buffer): void | Promise<void> {
    this.#scanner.push(chunk);
    this.#checkContent();
    if (!this.#writing) return;
    if (this.#headerDone) return this.#attempt(() => this.#output.write(chunk));
    const complete = this.#scanner.headerSize >= 0;
    // Most messages come in one piece, which goes on as it is.
    if (complete && this.#held.isEmpty) return this.#headerComplete(chunk);
    if (!this.#held.add(chunk)) {
      return this.#refuse(replies.insufficientResources(''), 'the headers of all sessions have too many octets');
    }
    if (complete) return this.#headerComplete(this.#held.take());
    this.#refuseFor(headerRefusal(this.#scanner, this.#session.connector));
  }

  #checkContent(): void {
    const { connector } = this.#session;
    const binary = this.#transaction.argument.body === 'BINARYMIME';
    this.#refuseFor(contentRefusal(this.#scanner, connector, this.#sizeLimit, binary));
  }

  /** `first`: the content up to the end of the header at least. */
  #headerComplete(first: Buffer): void | Promise<void> {
    this.#headerDone = true;
    this.#refuseFor(headerRefusal(this.#scanner, this.#session.connector));
    if (!this.#writing) return;
    const header = new MessageHeader(first.subarray(0, this.#scanner.headerSize), this.#session.origin.profile.fqdn);
    this.#header = header;
    this.#refuseFor(hopRefusal(header.facts, this.#session.connector));
    this.#checkFrom(header);
    this.#screen(header);
    const { onEndOfHeaders, readContent } = this.#session.parts.agents;
    if (!this.#writing || (onEndOfHeaders === undefined && readContent === undefined))
      return this.#storeHeader(header, first);
    const args = {
      session: this.#session.smtpSession,
      envelope: this.#envelope,
      header: header.octets,
    };
    return this.#session.afterwards(onEndOfHeaders?.(args) ?? { args, changes: [] }, (outcome) => {
      this.#obey(header, outcome);
      if (this.#writing && readContent !== undefined) this.#output.readBy(readContent(outcome.args));
      return this.#storeHeader(header, first);
    });
  }

  #checkFrom({ block }: MessageHeader): void {
    const { origin, rights } = this.#session;
    const missing = this.#writing ? missingFromRight(block, origin.domains, rights) : undefined;
    if (missing === undefined) return;
    this.#session.holds(missing);
    this.#refuse(replies.cannotSendAsSender, `From: ${missing.right}: ${missing.by}`);
  }

  #screen(header: MessageHeader): void {
    if (!this.#writing) return;
    const changes = screenReceived(header, this.#session);
    if (changes.length > 0) this.#session.tellChanges(changes, this.id);
  }

  #storeHeader(header: MessageHeader, first: Buffer): void | Promise<void> {
    if (!this.#writing) return;
    const { headerSize } = this.#scanner;
    const named = {
      recipients: this.#envelope.recipients,
      argument: this.#transaction.argument,
    };
    const field = this.#session.traceFields.of(this.#session, named, {
      id: this.#sink.guid,
      at: this.#receivedAt,
    });
    const head = header.store(field, first.length > headerSize);
    return this.#attempt(() => {
      const wait = this.#output.writeHeader(head);
      const rest = (): void | Promise<void> =>
        header.changed === undefined
          ? this.#output.writeWhole(first, headerSize)
          : this.#output.write(first.subarray(headerSize));
      return wait === undefined ? rest() : wait.then(rest);
    });
  }

  /** A sink that fails refuses the message. Anything else is a bug and goes on up. */
  #attempt(step: () => void | Promise<void>): void | Promise<void> {
    if (!this.#writing) return;
    try {
      const wait = step();
      return wait === undefined ? undefined : wait.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof SmtpError)) throw error;
    this.#refuse(error.reply, error.reason);
  }

  #refuseFor(refusal: Refusal | undefined): void {
    if (refusal !== undefined) this.#refuse(refusal.reply, refusal.reason);
  }

  #refuse(reply: Reply, reason: string): void {
    this.#refusal ??= { reply, reason };
    this.#stop();
  }

  /** Follows what the agents changed and decided. */
  #obey(
    header: MessageHeader,
    { decision, args, changes }: ReceiveOutcome<{ readonly envelope: Envelope; readonly header: Buffer }>,
  ): void {
    if (this.#refusal !== undefined || !this.#writing) return;
    if (changes.length > 0) {
      this.#session.tellChanges(changes, this.id);
      this.#envelope = args.envelope;
      if (header.octets !== args.header) header.change(args.header);
    }
    if (decision !== undefined) return this.#decide(decision);
    if (this.#envelope.recipients.length === 0) this.#discard('agents removed every recipient');
  }

  #decide(decision: AgentDecision): void {
    const { agent, action } = decision;
    tellAgentActed(this.#session, decision, this.#verb, { id: this.id, transaction: this.#transaction });
    const reason = `${agent}: ${action.reason}`;
    this.#disconnect = action.kind === 'disconnect';
    if (action.kind === 'discard') this.#discard(`thrown away by ${reason}`);
    else this.#refuse(action.reply, reason);
  }

  #discard(reason: string): void {
    this.#discarded = true;
    this.#session.log.refused(this.#verb, this.#discardReply(), reason, this.id);
    this.#stop();
  }

  #discardReply(): Reply {
    return this.#sink.discard({ messageId: this.#header?.facts.messageId ?? '' });
  }

  /** Nothing more is written. */
  #stop(): void {
    if (!this.#writing) return;
    this.#writing = false;
    this.#held.drop();
    this.#output.abort().catch((error: unknown) => this.#session.parts.onFault?.(error, this.#session.origin.id));
  }

  /** All of it is here. */
  #conclude(): void | Promise<void> {
    if (this.#writing) this.#checkContent();
    const { onEndOfData } = this.#session.parts.agents;
    const { readers } = this.#output;
    const header = this.#header;
    if (!this.#writing || header === undefined || (onEndOfData === undefined && readers.length === 0))
      return this.#settle();
    const args: EndOfDataArgs = {
      session: this.#session.smtpSession,
      envelope: this.#envelope,
      header: header.octets,
      size: this.#scanner.size,
      messageId: header.facts.messageId,
      subject: header.facts.subject,
    };
    return this.#session.afterwards(endOfContent(readers, args), (read) => {
      this.#obey(header, read);
      if (!this.#writing || onEndOfData === undefined) return this.#settle();
      return this.#session.afterwards(onEndOfData(read.args), (outcome) => {
        this.#obey(header, outcome);
        return this.#settle();
      });
    });
  }

  #settle(): void | Promise<void> {
    if (this.#session.ended) return;
    if (this.#writing) return this.#commit();
    if (this.#discarded) this.#answer(this.#discardReply());
    else this.#answerRefusal();
  }

  async #commit(): Promise<void> {
    const session = this.#session;
    this.#committing = true;
    this.#writing = false;
    const replaced = this.#header?.replacement();
    const message = newMessage(session, { envelope: this.#envelopeWithTls() }, this.#contentFacts());
    let reply: Reply;
    try {
      await this.#output.end();
      if (replaced !== undefined) this.#sink.replaceHead(replaced);
      reply = await this.#sink.commit(message, this.#originalClient());
    } catch (error) {
      if (!(error instanceof SmtpError)) throw error;
      this.#refusal = { reply: error.reply, reason: error.reason };
      return this.#answerRefusal();
    }
    if (reply.code >= 300) {
      this.#refusal = { reply, reason: 'the sink refused the message' };
      return this.#answerRefusal();
    }
    session.messages++;
    session.thrownAway = 0;
    this.#answer(reply);
  }

  /** Where it was before own servers had it; undefined: no server of one's own brought it. */
  #originalClient(): string | undefined {
    const { ownServers, remoteAddress } = this.#session.origin;
    if (ownServers.length === 0 || this.#header === undefined) return undefined;
    const isOwn = (address: string): boolean => {
      const ip = parseIp(address);
      return ownServers.some((range) => contains(range, ip));
    };
    return isOwn(remoteAddress) ? originalClient(this.#header.block, remoteAddress, isOwn) : undefined;
  }

  /** RFC 8689 §4.1: REQUIRETLS counts more than the header. */
  #envelopeWithTls(): Envelope {
    const envelope = this.#envelope;
    return envelope.tls === undefined && this.#header?.facts.tlsOptional === true
      ? { ...envelope, tls: 'optional' }
      : envelope;
  }

  #contentFacts(): ContentFacts {
    const { size, headerSize, leadingDots, eightBit, utf8Header, bareCr, bareLf } = this.#scanner;
    const { changed, added = 0, facts } = this.#header ?? {};
    const headerIsAscii = changed?.isAscii ?? !utf8Header;
    return {
      size: size + added,
      headerSize: headerSize + added,
      // What agents add to the header may begin with a dot as well.
      leadingDots: leadingDots || (changed !== undefined && this.#header?.octets.includes('.') === true),
      eightBit: eightBit || !headerIsAscii,
      utf8Header: !headerIsAscii,
      bareLines: bareCr >= 0 || bareLf >= 0,
      messageId: facts?.messageId ?? '',
      subject: facts?.subject ?? '',
    };
  }

  #answerRefusal(): void {
    const { reply, reason } = this.#refusal ?? {
      reply: replies.internalError,
      reason: 'the message was lost',
    };
    this.#session.mailData = undefined;
    this.#session.refuse(this.#verb, reply, reason, this.id);
    if (this.#disconnect) this.#session.end(reason);
    this.#afterwards();
  }

  #answer(reply: Reply): void {
    this.#session.mailData = undefined;
    this.#session.reply(reply);
    this.#afterwards();
  }

  #afterwards(): void {
    if (this.#session.parts.draining()) this.#session.stop();
  }
}
