import type { MessageWriter, NewMessage, ReplacedHead, SpoolWriter, StoredMessage } from './model/contract.ts';

/** Hears of every message that is on the disk; small ones with their content. */
export type Submit = (message: StoredMessage, content: Buffer | undefined) => void;

/** Messages that came to the disk together are submitted together, in the turn behind: their receivers answer 250 and tell it first. */
export class SubmissionTurn {
  readonly #submit: Submit;
  #waiting: { readonly message: StoredMessage; readonly writer: SpoolWriter }[] = [];

  constructor(submit: Submit) {
    this.#submit = submit;
  }

  add(message: StoredMessage, writer: SpoolWriter): void {
    if (this.#waiting.push({ message, writer }) === 1) setImmediate(() => this.#run());
  }

  #run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { message, writer } of waiting) this.#submit(message, writer.content);
  }
}

/** A receiver's writer: what is on the disk is also on its way. */
export class SubmittingWriter implements MessageWriter {
  readonly #writer: SpoolWriter;
  readonly #turn: SubmissionTurn;

  constructor(writer: SpoolWriter, turn: SubmissionTurn) {
    this.#writer = writer;
    this.#turn = turn;
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
    this.#turn.add(stored, this.#writer);
    return stored;
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}
