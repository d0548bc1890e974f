import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Verdict } from '../back-pressure/index.ts';
import type { Clock, FaultReport } from '../base/index.ts';
import { generatedLimits, type Snapshot, type SnapshotSource } from '../config/index.ts';

import type { Journal } from '../logs/index.ts';
import { generatedTooOften, HeaderBlock } from '../mail/index.ts';
import { type MessageWriter, queuedEvent } from '../queue/index.ts';
import { AddressError } from '../smtp/index.ts';
import { type PickupFacts, type PickupMessage, pickupMessage } from './pickup-message.ts';
import { replayMessage } from './replay-message.ts';

type ServerSettings = Snapshot['server'];

/** What a folder is for. */
interface FolderKind {
  readonly parameter: string;
  readonly source: 'PICKUP' | 'REPLAY';
  path(server: ServerSettings): string;
  read(file: Buffer, server: ServerSettings, facts: PickupFacts): PickupMessage;
}

const kinds = {
  pickup: {
    parameter: 'PickupDirectoryPath',
    source: 'PICKUP',
    path: ({ pickupDirectoryPath }) => pickupDirectoryPath,
    read: (file, server, facts) =>
      pickupMessage(
        file,
        {
          maxHeaderSize: server.pickupDirectoryMaxHeaderSize,
          maxRecipients: server.pickupDirectoryMaxRecipientsPerMessage,
        },
        facts,
      ),
  },
  replay: {
    parameter: 'ReplayDirectoryPath',
    source: 'REPLAY',
    path: ({ replayDirectoryPath }) => replayDirectoryPath,
    read: (file, _, facts) => replayMessage(file, facts),
  },
} satisfies Record<string, FolderKind>;

export interface PickupParts {
  readonly snapshots: SnapshotSource;
  readonly queue: { begin(): MessageWriter; readonly accepting: { readonly ok: boolean } };
  readonly pressure: { verdict(peer: 'pickup'): Verdict };
  readonly journal: Journal;
  readonly clock: Clock;
  readonly faults: FaultReport;
}

/** How often the folder is looked at, in milliseconds (Exchange: 5 s). */
const pollMs = 5_000;

/** Takes the files of the pickup folder, or of the replay folder, one after the other. A file that is no message is renamed to .bad and stays. */
export class PickupFolder implements AsyncDisposable {
  readonly #parts: PickupParts;
  readonly #kind: FolderKind;
  #timer: { cancel(): void } | undefined;
  #running: Promise<void> = Promise.resolve();
  #ended = false;
  /** The file that was set aside last. */
  #last: { readonly name: string; readonly reason: string } | undefined;

  constructor(parts: PickupParts, kind: keyof typeof kinds = 'pickup') {
    this.#parts = parts;
    this.#kind = kinds[kind];
  }

  start(): void {
    if (this.#ended) return;
    this.#timer = this.#parts.clock.after(pollMs, () => {
      this.#running = this.look().finally(() => this.start());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Takes what is there now, as much as a look may. Never rejects. */
  async look(): Promise<void> {
    const { faults, queue, pressure, snapshots } = this.#parts;
    const { server } = snapshots.current;
    const fault = this.#kind.parameter;
    const folder = this.#kind.path(server);
    if (!isAbsolute(folder)) return faults.end(fault);
    if (!queue.accepting.ok || pressure.verdict('pickup').kind !== 'take') return;
    try {
      const most = Math.max(1, Math.floor((server.pickupDirectoryMaxMessagesPerMinute * pollMs) / 60_000));
      const entries = await readdir(folder, { withFileTypes: true });
      const bad = entries.filter(isSetAside).map(({ name }) => name);
      const names = entries.filter(isMessage).slice(0, most);
      for (const { name } of names)
        if (!this.#ended && (await this.#take(server, name)) === 'set aside') bad.push(`${name}.bad`);
      faults.end(fault);
      this.#tellSetAside(folder, bad);
    } catch (error) {
      faults.begin(fault, `${this.#kind.parameter} ${folder} cannot be used: ${(error as Error).message}`);
    }
  }

  /** Another name first: whoever writes the file next writes another one, and a second look finds nothing. */
  async #take(server: Snapshot['server'], name: string): Promise<'taken' | 'set aside'> {
    const path = join(this.#kind.path(server), name);
    const claimed = `${path}.tmp`;
    await rename(path, claimed);
    try {
      await this.#submit(server, await readWhole(claimed, this.#largest()));
      await rm(claimed);
      return 'taken';
    } catch (error) {
      const isTheirs = error instanceof RangeError || error instanceof AddressError;
      await rename(claimed, isTheirs ? `${path}.bad` : path);
      if (!isTheirs) throw error;
      this.#refused(name, error.message);
      return 'set aside';
    }
  }

  /** Whoever wrote a file hears nothing: what is no message stands in `edge status` until somebody has seen to it. */
  #tellSetAside(folder: string, bad: readonly string[]): void {
    const { faults } = this.#parts;
    const key = `${this.#kind.parameter} .bad`;
    const last = bad.at(-1);
    if (last === undefined) return faults.end(key);
    const known = this.#last;
    const why =
      known !== undefined && bad.includes(known.name)
        ? ` (${known.name}: ${known.reason.slice(0, 300)})`
        : ` (${last})`;
    const text = `${folder}: ${bad.length} ${bad.length === 1 ? 'file is no message and was' : 'files are no messages and were'} set aside${why}: mend and rename to .eml, or delete`;
    faults.begin(key, text);
  }

  #largest(): number {
    const { maxSendSize } = this.#parts.snapshots.current.organization;
    return Math.min(maxSendSize, 36 * 1024 ** 2);
  }

  async #submit(server: Snapshot['server'], file: Buffer): Promise<void> {
    const { queue, clock, journal } = this.#parts;
    const writer = queue.begin();
    const now = clock.now();
    try {
      const message = this.#kind.read(file, server, { fqdn: server.fqdn, guid: writer.guid, now });
      this.#checkDepth(message.content);
      await writer.write(message.content);
      const origin = { session: '', connector: this.#kind.source, localAddress: '', ...message.origin };
      const kept = { envelope: message.envelope, origin, facts: message.facts };
      await writer.commit(kept, now + server.messageExpirationTimeout * 1_000);
      journal.emit(queuedEvent(writer, kept, { at: now, source: this.#kind.source, reply: '', reference: '' }));
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  #checkDepth(content: Buffer): void {
    const { organization } = this.#parts.snapshots.current;
    if (!organization.agentGeneratedMessageLoopDetectionInSubmissionEnabled) return;
    const reason = generatedTooOften(new HeaderBlock(content), generatedLimits(organization));
    if (reason !== undefined) throw new RangeError(reason);
  }

  #refused(name: string, reason: string): void {
    this.#last = { name: `${name}.bad`, reason };
    const at = this.#parts.clock.now();
    const told = { session: '', message: 0, kind: 'command-refused' } as const;
    this.#parts.journal.emit({
      at,
      ...told,
      command: `${this.#kind.source.toLowerCase()} ${name}`.slice(0, 300),
      reply: `renamed to ${name}.bad`.slice(0, 300),
      reason,
    });
  }
}

function isSetAside(entry: Dirent): boolean {
  return /\.eml\.bad$/i.test(entry.name);
}

function isMessage(entry: Dirent): boolean {
  return entry.isFile() && /\.eml$/i.test(entry.name);
}

/** A regular file with one name, through no link. Throws RangeError for anything else, and the system's errors. */
async function readWhole(path: string, mostBytes: number): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      throw new RangeError('it is a symbolic link', { cause: error });
    throw error;
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new RangeError('it is no regular file');
    if (facts.nlink !== 1) throw new RangeError('it has several names (hard links)');
    if (facts.size > mostBytes) throw new RangeError(`it is larger than ${mostBytes} octets`);
    const bytes = Buffer.alloc(facts.size);
    const { bytesRead } = await file.read(bytes, 0, facts.size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
