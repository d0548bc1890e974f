/** Messages out of the store and its folder of large contents. */
import type { BlockPool, FaultReport } from '../../base/index.ts';
import { type ReplacedHead, SpoolError, type StoredMessage } from '../model/contract.ts';
import { type ContentFolder, chunkBytes } from './content-folder.ts';
import { type Databases, read } from './databases.ts';
import { decodeHead, decodeRecord, decodeStates, untouchedStates } from './record-codec.ts';
import { streamWithHead } from './replaced-head.ts';

/** Records read at a time, so that no read transaction lasts: it would keep freed pages from being used again. */
const pageOfRecords = 256;

export interface SpoolReaderParts {
  readonly databases: Databases;
  readonly folder: ContentFolder;
  /** Ids of messages whose content is in a file. */
  readonly large: ReadonlySet<number>;
  readonly faults: FaultReport;
}

export class SpoolReader {
  /** Found when the spool was listed. They stay where they are, for whoever can mend them. */
  readonly damaged = new Map<number, string>();
  readonly #parts: SpoolReaderParts;

  constructor(parts: SpoolReaderParts) {
    this.#parts = parts;
  }

  /** Of a small message. */
  content(id: number): Buffer | undefined {
    return read(this.#parts.databases.contents, id);
  }

  async *stream(id: number, start: number, blocks?: BlockPool): AsyncGenerator<Buffer, void> {
    const { large, folder } = this.#parts;
    if (large.has(id)) {
      const replaced = this.headOf(id);
      if (replaced === undefined) return yield* folder.stream(id, start, blocks);
      return yield* streamWithHead(replaced, start, chunkBytes, (from) => folder.stream(id, from, blocks));
    }
    const content = this.content(id);
    if (content === undefined) throw new SpoolError(`message ${id} is not in the store`);
    for (let at = start; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
  }

  /** Throws SpoolError for a damaged record. */
  get(id: number): StoredMessage | undefined {
    const octets = read(this.#parts.databases.records, id);
    return octets === undefined ? undefined : this.#decode(id, octets);
  }

  *list(): Generator<StoredMessage, void> {
    for (let start = 0; ; ) {
      const page = [...this.#parts.databases.records.getKeys({ start, limit: pageOfRecords })];
      for (const id of page) {
        const message = this.#readable(id);
        if (message !== undefined) yield message;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < pageOfRecords) return;
      start = last + 1;
    }
  }

  /** What stands in the place of the beginning of a large content. */
  headOf(id: number): ReplacedHead | undefined {
    const octets = read(this.#parts.databases.records, id);
    return octets === undefined ? undefined : decodeHead(id, octets);
  }

  /** A damaged message must not keep the others from their delivery. */
  #readable(id: number): StoredMessage | undefined {
    const { large, databases } = this.#parts;
    try {
      const message = this.get(id);
      if (message === undefined || large.has(id) || databases.contents.doesExist(id)) return message;
      this.#setAside(id, `the content of message ${id} is missing`);
    } catch (error) {
      if (!(error instanceof SpoolError)) throw error;
      this.#setAside(id, error.message);
    }
    return undefined;
  }

  #setAside(id: number, reason: string): void {
    this.damaged.set(id, reason);
    this.#parts.faults.begin(
      `message ${id}`,
      `${reason}: it is kept in the spool and not delivered (Get-Message shows it in the queue Poison, Remove-Message removes it)`,
    );
  }

  #decode(id: number, octets: Buffer): StoredMessage {
    const record = decodeRecord(id, octets);
    const states = read(this.#parts.databases.states, id);
    const recipients =
      states === undefined ? untouchedStates(record.envelope.recipients.length) : decodeStates(id, states);
    return { ...record, recipients };
  }
}
