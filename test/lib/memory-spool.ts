/** The smallest engine that keeps the queue's contract, but for the disk: for tests of what stands on a spool. */
import { newGuid } from '../../src/base/index.ts';
import {
  type NewMessage,
  type RecipientState,
  type ReplacedHead,
  type Revision,
  type Spool,
  SpoolError,
  type SpoolWriter,
  type StoredMessage,
} from '../../src/queue/index.ts';

interface Kept {
  message: StoredMessage;
  content: Buffer;
}

/** What outlives a spool object: the disk, so to speak. */
export interface MemoryDisk {
  readonly messages: Map<number, Kept>;
  nextId: number;
  crashes: ReadonlyMap<number, number>;
}

export function memoryDisk(): MemoryDisk {
  return { messages: new Map(), nextId: 1, crashes: new Map() };
}

export interface MemorySpoolOptions {
  readonly disk?: MemoryDisk;
  readonly now?: () => number;
  /** Larger content is only given as a stream. */
  readonly thresholdBytes?: number;
}

const untouched: RecipientState = { status: 'pending', attempts: 0, due: 0, lastReply: '', delayNotified: false };

export class MemorySpool implements Spool {
  readonly disk: MemoryDisk;
  readonly crashNotes;
  /** What was made durable, in order: 'commit 1', 'update 1', 'remove 1'. */
  readonly story: string[] = [];
  accepting = true;
  readonly damaged = new Map<number, string>();
  /** Makes the next writes fail. */
  failing = false;
  closed = false;
  readonly #now: () => number;
  readonly #threshold: number;

  constructor({ disk = memoryDisk(), now = Date.now, thresholdBytes = 96 * 1024 }: MemorySpoolOptions = {}) {
    this.disk = disk;
    this.#now = now;
    this.#threshold = thresholdBytes;
    this.crashNotes = {
      read: () => disk.crashes,
      write: (counts: ReadonlyMap<number, number>) => {
        disk.crashes = new Map(counts);
      },
    };
  }

  get count(): number {
    return this.disk.messages.size;
  }

  begin(): SpoolWriter {
    if (this.closed || !this.accepting) throw new SpoolError('nothing is accepted');
    const id = this.disk.nextId++;
    const guid = newGuid();
    const chunks: Buffer[] = [];
    let state: 'open' | 'committed' | 'aborted' = 'open';
    let content: Buffer | undefined;
    let replaced: ReplacedHead | undefined;
    return {
      id,
      guid,
      get content() {
        return content;
      },
      write: (chunk) => {
        if (state !== 'open') throw new Error('the writer has ended');
        chunks.push(chunk);
      },
      replaceHead: (wanted) => {
        replaced = wanted;
      },
      commit: async (message, expiresAt) => {
        if (state !== 'open') throw new Error('the writer has ended');
        state = 'committed';
        const whole = withHead(Buffer.concat(chunks), replaced);
        const stored = await this.#write(`commit ${id}`, () => this.#keep(id, guid, message, expiresAt, whole));
        if (whole.length <= this.#threshold) content = whole;
        return stored;
      },
      abort: async () => {
        if (state === 'open') state = 'aborted';
      },
    };
  }

  content(id: number): Buffer | undefined {
    const content = this.disk.messages.get(id)?.content;
    return content === undefined || content.length > this.#threshold ? undefined : content;
  }

  async *stream(id: number, start = 0): AsyncGenerator<Buffer, void> {
    const content = this.disk.messages.get(id)?.content;
    if (content === undefined) throw new SpoolError(`message ${id} is not there`);
    for (let at = start; at < content.length; at += 262_144) yield content.subarray(at, at + 262_144);
  }

  get(id: number): StoredMessage | undefined {
    return this.disk.messages.get(id)?.message;
  }

  *list(): Generator<StoredMessage, void> {
    const ids = [...this.disk.messages.keys()].sort((a, b) => a - b);
    for (const id of ids) {
      const message = this.get(id);
      if (message !== undefined) yield message;
    }
  }

  async update(id: number, recipients: readonly RecipientState[]): Promise<void> {
    if (!this.disk.messages.has(id)) return;
    await this.#write(`update ${id}`, () => {
      const kept = this.disk.messages.get(id);
      if (kept !== undefined) kept.message = { ...kept.message, recipients: structuredClone(recipients) };
    });
  }

  async revise(id: number, { replaced, ...revision }: Revision): Promise<StoredMessage | undefined> {
    if (!this.disk.messages.has(id)) return undefined;
    return this.#write(`revise ${id}`, () => {
      const kept = this.disk.messages.get(id);
      if (kept === undefined) return undefined;
      kept.message = { ...kept.message, ...revision, categorized: true };
      kept.content = withHead(kept.content, replaced);
      return kept.message;
    });
  }

  async remove(id: number): Promise<void> {
    if (!this.disk.messages.has(id)) return;
    await this.#write(`remove ${id}`, () => void this.disk.messages.delete(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
  }

  #keep(id: number, guid: string, message: NewMessage, expiresAt: number, content: Buffer): StoredMessage {
    const stored: StoredMessage = {
      ...message,
      id,
      guid,
      receivedAt: this.#now(),
      expiresAt,
      recipients: message.envelope.recipients.map(() => untouched),
    };
    this.disk.messages.set(id, { message: stored, content });
    return stored;
  }

  async #write<T>(what: string, change: () => T): Promise<T> {
    await Promise.resolve();
    if (this.failing || this.closed) throw new SpoolError('the disk is full');
    this.story.push(what);
    return change();
  }
}

function withHead(content: Buffer, replaced: ReplacedHead | undefined): Buffer {
  return replaced === undefined ? content : Buffer.concat([replaced.head, content.subarray(replaced.octets)]);
}
