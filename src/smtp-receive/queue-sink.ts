import type { Clock } from '../base/index.ts';
import type { SnapshotSource } from '../config/index.ts';
import type { Journal } from '../logs/index.ts';
import { type MessageWriter, type NewMessage, queuedEvent, type ReplacedHead, SpoolError } from '../queue/index.ts';
import { oneLine, type Reply, replies, SmtpError } from '../smtp/index.ts';
import type { MessageSink, SinkContent, SinkTransaction } from './content/message-sink.ts';
import { queuedReply } from './session/trace.ts';

/** What keeps the messages. MessageQueue has this shape. */
export interface MessageQueueing {
  /** Throws SpoolError when nothing can be taken. */
  begin(): MessageWriter;
  readonly accepting: MessageSink['accepting'];
}

export interface QueueSinkParts {
  readonly queue: MessageQueueing;
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
  readonly clock: Clock;
}

/** The sink that keeps: 250 means that the message is on disk, in the queue of this server. */
export class QueueSink implements MessageSink {
  readonly #parts: QueueSinkParts;
  /** The queue knows a message only from its content on: all transactions are the same until then. */
  readonly #transaction: SinkTransaction;

  constructor(parts: QueueSinkParts) {
    this.#parts = parts;
    this.#transaction = { recipient: () => undefined, content: () => this.#content(), abort() {} };
  }

  get accepting(): MessageSink['accepting'] {
    return this.#parts.queue.accepting;
  }

  begin(): SinkTransaction {
    return this.#transaction;
  }

  #content(): SinkContent {
    try {
      return new QueueContent(this.#parts.queue.begin(), this.#parts);
    } catch (error) {
      throw asRefusal(error);
    }
  }
}

class QueueContent implements SinkContent {
  readonly #writer: MessageWriter;
  readonly #parts: QueueSinkParts;
  readonly #receivedAt: number;

  constructor(writer: MessageWriter, parts: QueueSinkParts) {
    this.#writer = writer;
    this.#parts = parts;
    this.#receivedAt = parts.clock.now();
  }

  get id(): number {
    return this.#writer.id;
  }

  get guid(): string {
    return this.#writer.guid;
  }

  write(chunk: Buffer): void | Promise<void> {
    try {
      const wait = this.#writer.write(chunk);
      return wait === undefined ? undefined : wait.catch(refuse);
    } catch (error) {
      throw asRefusal(error);
    }
  }

  replaceHead(replaced: ReplacedHead): void {
    this.#writer.replaceHead(replaced);
  }

  async commit(message: NewMessage, originalClient?: string): Promise<Reply> {
    const { snapshots, journal, clock } = this.#parts;
    const { server } = snapshots.current;
    try {
      await this.#writer.commit(message, this.#receivedAt + server.messageExpirationTimeout * 1000);
    } catch (error) {
      throw asRefusal(error);
    }
    const reply = queuedReply(this, message.facts.messageId, server.fqdn);
    const event = queuedEvent(this, message, { at: clock.now(), source: 'SMTP', reply: oneLine(reply), reference: '' });
    journal.emit(originalClient === undefined ? event : { ...event, originalClient });
    return reply;
  }

  discard({ messageId }: Pick<NewMessage['facts'], 'messageId'>): Reply {
    return queuedReply(this, messageId, this.#parts.snapshots.current.server.fqdn);
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}

function refuse(error: unknown): never {
  throw asRefusal(error);
}

/** The refusal for a spool that failed (SpoolError); any other error is a bug and comes back as it is. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof SpoolError)) return error;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return new SmtpError(replies.insufficientResources(''), `${error.message}${cause}`, { cause: error });
}
