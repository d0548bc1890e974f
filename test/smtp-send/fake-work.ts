/** Messages and work as the queue would hand them over, with everything that sending did to them kept for the test. */
import type { BlockPool } from '../../src/base/index.ts';
import type { EnvelopeRecipient } from '../../src/mail/index.ts';
import type {
  ContentFacts,
  DeliveryItem,
  DeliveryWork,
  NextHop,
  RecipientOutcome,
  StoredMessage,
} from '../../src/queue/index.ts';

export interface MessageWish {
  readonly id?: number;
  readonly from?: string;
  readonly recipients?: readonly (string | EnvelopeRecipient)[];
  readonly content?: Buffer;
  readonly facts?: Partial<ContentFacts>;
  readonly envelope?: Partial<StoredMessage['envelope']>;
  readonly origin?: Partial<StoredMessage['origin']>;
}

const smallContent = Buffer.from('Subject: test\r\nFrom: a@example.org\r\n\r\nHello\r\n');

/** A stored message; facts are found in its content unless given. */
export function testMessage(wish: MessageWish = {}): { message: StoredMessage; content: Buffer } {
  const content = wish.content ?? smallContent;
  const text = content.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const headerSize = end < 0 ? content.length : end + 4;
  const recipients = (wish.recipients ?? ['rcpt@example.com']).map((recipient) =>
    typeof recipient === 'string'
      ? { address: recipient, domain: recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase() }
      : recipient,
  );
  const message: StoredMessage = {
    id: wish.id ?? 1,
    guid: `00000000-0000-4000-8000-${String(wish.id ?? 1).padStart(12, '0')}`,
    receivedAt: 1_700_000_000_000,
    expiresAt: 1_700_000_000_000 + 172_800_000,
    envelope: { from: wish.from ?? 'sender@example.org', recipients, body: '7BIT', smtpUtf8: false, ...wish.envelope },
    origin: {
      session: 'S1',
      connector: 'Test',
      remoteAddress: '192.0.2.9',
      localAddress: '192.0.2.1',
      helo: 'client',
      ...wish.origin,
    },
    facts: {
      size: content.length,
      headerSize,
      leadingDots: text.startsWith('.') || text.includes('\n.'),
      eightBit: /[\x80-\xff]/.test(text),
      utf8Header: /[\x80-\xff]/.test(text.slice(0, headerSize)),
      bareLines: /\r(?!\n)|(?<!\r)\n/.test(text),
      messageId: '<test@example.org>',
      subject: 'test',
      ...wish.facts,
    },
    recipients: recipients.map(() => ({ status: 'pending', attempts: 0, due: 0, lastReply: '', delayNotified: false })),
  };
  return { message, content };
}

/** What became of one item. */
export interface ItemRecord {
  readonly item: DeliveryItem;
  readonly message: StoredMessage;
  outcomes?: readonly RecipientOutcome[];
  remote?: string;
  released: boolean;
}

export const smartHostHop: NextHop = {
  key: 'SmartHostConnectorDelivery:test',
  type: 'SmartHostConnectorDelivery',
  domain: 'test',
  connector: 'Outbound',
};

export interface WorkOptions {
  readonly hop?: NextHop;
  /** Content is only given as a stream, in chunks of this size. */
  readonly chunk?: number;
  readonly signal?: AbortSignal;
  /** Read faults: the stream breaks after this many octets. */
  readonly breakAt?: number;
}

/** A queue of messages that one or more deliveries draw from. */
export class FakeWork implements DeliveryWork {
  readonly hop: NextHop;
  readonly signal: AbortSignal;
  readonly records: ItemRecord[] = [];
  readonly #options: WorkOptions;
  #taken = 0;
  /** Called when the connection asks and nothing waits. */
  onEmpty: ((idleMs: number) => Promise<DeliveryItem | undefined> | undefined) | undefined;

  constructor(wishes: readonly MessageWish[], options: WorkOptions = {}) {
    this.hop = options.hop ?? smartHostHop;
    this.signal = options.signal ?? new AbortController().signal;
    this.#options = options;
    wishes.forEach((wish, i) => this.add({ id: i + 1, ...wish }));
  }

  add(wish: MessageWish): void {
    this.records.push(this.#record(wish));
  }

  next(idleMs: number): DeliveryItem | Promise<DeliveryItem | undefined> | undefined {
    const record = this.records[this.#taken];
    if (record === undefined) return this.onEmpty?.(idleMs);
    this.#taken += 1;
    return record.item;
  }

  /** Outcomes as 'kind reply' lines, one list for each message; 'released' or 'untouched' for those without. */
  get story(): string[][] {
    return this.records.map((record) => {
      if (record.outcomes !== undefined) return record.outcomes.map(({ kind, reply }) => `${kind} ${reply}`);
      return [record.released ? 'released' : 'untouched'];
    });
  }

  #record(wish: MessageWish): ItemRecord {
    const { message, content } = testMessage(wish);
    const { chunk, breakAt } = this.#options;
    const record: ItemRecord = {
      message,
      released: false,
      item: {
        message,
        recipients: message.envelope.recipients.map((_, index) => index),
        content: () => (chunk === undefined ? content : undefined),
        stream: (_start, blocks) =>
          chunks(content, {
            size: chunk ?? 65_536,
            ...(breakAt === undefined ? {} : { breakAt }),
            ...(blocks === undefined ? {} : { blocks }),
          }),
        settle(outcomes, remote) {
          if (record.outcomes !== undefined || record.released) throw new Error(`message ${message.id} settled twice`);
          if (outcomes.length !== message.envelope.recipients.length) throw new Error('an outcome is missing');
          record.outcomes = outcomes;
          record.remote = remote;
        },
        release() {
          if (record.outcomes !== undefined || record.released) throw new Error(`message ${message.id} settled twice`);
          record.released = true;
        },
      },
    };
    return record;
  }
}

/** As the spool does it: what a block holds is overwritten once it was given back. */
async function* chunks(
  content: Buffer,
  { size, breakAt = Number.POSITIVE_INFINITY, blocks }: { size: number; breakAt?: number; blocks?: BlockPool },
): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) {
    if (at >= breakAt) throw new Error('disk fault');
    const chunk = content.subarray(at, at + size);
    const block = blocks?.take();
    yield block === undefined ? chunk : block.subarray(0, chunk.copy(block));
  }
}
