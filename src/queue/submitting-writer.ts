import type { MessageWriter, NewMessage, ReplacedHead, SpoolWriter, StoredMessage } from './contract.ts';

/** Hears of every message that is on the disk; small ones with their content. */
export type Submit = (message: StoredMessage, content: Buffer | undefined) => void;

/** A receiver's writer: what is on the disk is also on its way. */
export class SubmittingWriter implements MessageWriter {
  readonly #writer: SpoolWriter;
  readonly #submit: Submit;

  constructor(writer: SpoolWriter, submit: Submit) {
    this.#writer = writer;
    this.#submit = submit;
  }

  get id(): number {
    return this.#writer.id;
  }

  get guid(): string {
    return this.#writer.guid;
  }

  write(chunk: Buffer): void | Promise<void> {
    return this.#writer.write(chunk);
  }

  replaceHead(replaced: ReplacedHead): void {
    this.#writer.replaceHead(replaced);
  }

  async commit(message: NewMessage, expiresAt: number): Promise<StoredMessage> {
    const stored = await this.#writer.commit(message, expiresAt);
    // After this turn: the receiver answers 250 and tells its event first.
    setImmediate(() => this.#submit(stored, this.#writer.content));
    return stored;
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
