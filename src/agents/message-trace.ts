/** The files of one traced message: a folder of its own, one file for each snapshot, each with the whole message in it. */
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, printable } from '../base/index.ts';
import type { Envelope } from '../mail/index.ts';

/** The message as it was at one moment. */
export interface MessageSnapshot {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** 'Original', 'OnEndOfHeaders', 'OnEndOfHeaders,Recipient Filter Agent', 'OnSubmittedMessage'. */
  readonly source: string;
  readonly envelope: Envelope;
  readonly header: Buffer;
}

const created = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** What is said of it while it is traced; it is not the message, and never holds up the message. */
export class MessageTrace {
  readonly #folder: string;
  readonly #stage: 'SmtpReceive' | 'Routing';
  readonly #snapshots: MessageSnapshot[] = [];
  #body: FileHandle | undefined;
  #numbered = 0;

  /** `stage`: the beginning of its files' names. */
  constructor(folder: string, stage: 'SmtpReceive' | 'Routing') {
    this.#folder = folder;
    this.#stage = stage;
  }

  get #bodyPath(): string {
    return join(this.#folder, `${this.#stage}.tmp`);
  }

  note(snapshot: MessageSnapshot): void {
    this.#snapshots.push(snapshot);
  }

  /** Octets behind the header. */
  async append(chunk: Buffer): Promise<void> {
    if (this.#body === undefined) {
      await makeFolder(this.#folder);
      this.#body = await open(this.#bodyPath, created, 0o600);
    }
    await this.#body.write(chunk);
  }

  /** Writes the snapshots that are noted and not written yet; returns their octets. */
  async flush(): Promise<number> {
    await makeFolder(this.#folder);
    let octets = 0;
    for (const snapshot of this.#snapshots.splice(0)) {
      octets += await this.#write(join(this.#folder, `${this.#nameOf(snapshot)}.eml`), snapshot);
    }
    return octets;
  }

  #nameOf({ source }: MessageSnapshot): string {
    if (source === 'Original') return source;
    this.#numbered += 1;
    return `${this.#stage}${`${this.#numbered}`.padStart(4, '0')}`;
  }

  async #write(path: string, { at, source, envelope, header }: MessageSnapshot): Promise<number> {
    const injected = [
      'X-CreatedBy: MessageSnapshot-Begin injected headers',
      `X-MessageSnapshot-UTC-Time: ${new Date(at).toISOString()}`,
      `X-MessageSnapshot-Source: ${printable(source)}`,
      `X-Sender: ${envelope.from}`,
      ...envelope.recipients.map(({ address }) => `X-Receiver: ${address}`),
      'X-EndOfInjectedXHeaders: MessageSnapshot-End injected headers',
    ];
    const head = Buffer.concat([Buffer.from(injected.map((line) => `${line}\r\n`).join('')), header]);
    const file = await open(path, created, 0o600);
    let octets = head.length;
    try {
      await file.write(head);
      if (this.#body !== undefined)
        for await (const chunk of createReadStream(this.#bodyPath) as AsyncIterable<Buffer>) {
          await file.write(chunk);
          octets += chunk.length;
        }
    } finally {
      await file.close();
    }
    return octets;
  }

  /** Nothing more comes. The snapshots stay. */
  async end(): Promise<void> {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) return;
    await body.close();
    await rm(this.#bodyPath, { force: true });
  }
}
