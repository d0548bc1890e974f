import { writeSync } from 'node:fs';
import { type FileHandle, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type FaultReport, MovingLimit } from '../../base/index.ts';
import { DiskRoom, leftFreeBytes } from './disk-room.ts';
import { hourOf, logFileName, logFilesAmong } from './log-files.ts';
import { openToAppend } from './open-log-file.ts';
import { type LogBounds, prune } from './prune.ts';
import { type Piece, WaitingLines } from './waiting-lines.ts';

/** Bounds of one log, from the transport service object. */
export interface LogLimits extends LogBounds {
  readonly enabled: boolean;
  /** Octets after which a new file is begun. */
  readonly maxFileSize: number;
}

export interface LineLogParts {
  /** Start of the file names: 'MSGTRK', 'RECV', … */
  readonly prefix: string;
  /** Lines at the start of each file, with their line ends. */
  readonly header: (nowMs: number) => string;
  readonly clock: Clock;
  /** A log that cannot be written must not stop mail, and must not be silent. */
  readonly faults: FaultReport;
  /** Octets that stay free on the disk. Default 200 MB: mail and configuration need them more. */
  readonly minFreeBytes?: number;
}

/** Lines wait this long for company, in milliseconds: a crash loses no more than that of the log. */
const flushDelayMs = 200;
/** Silence after which a log holds no memory for its next lines, in milliseconds. */
const restMs = 10_000;
/** More octets waiting mean that the disk does not follow; what comes on top is dropped and counted. */
export const maxWaiting = 16 * 1024 * 1024;
/** After a failure the next attempt comes so much later, in milliseconds. */
const againMs = 1_000;
/** A file operation that takes longer is a fault, in milliseconds: a network file system that does not answer, as a rule. */
const slowMs = 30_000;
/** Whoever wants to see everything written waits so long, in milliseconds. */
const flushLimitMs = 5_000;

/** The size of a file is looked up so often, in milliseconds; between two looks the octets written here are added. */
const sizeAgeMs = 1_000;

interface OpenFile {
  readonly handle: FileHandle;
  readonly folder: string;
  readonly hour: string;
  readonly number: number;
  /** Octets: as last seen, and what was written here since. */
  size: number;
  /** Monotonic time of the last look. */
  seenAt: number;
}

/**
 * Appends lines to files named by hour and number, shared by all workers: every write is whole lines in one call on an
 * O_APPEND descriptor, so lines of different processes never mix. Files are pruned by age and by size of the folder. All file
 * operations are asynchronous, one at a time: an administrator chooses the path, and whatever is there, mail goes on.
 */
export class LineLog {
  readonly #parts: LineLogParts;
  #limits: LogLimits;
  readonly #waiting = new WaitingLines();
  readonly #rest: MovingLimit;
  #timer: { cancel(): void } | undefined;
  #draining: Promise<void> | undefined;
  #file: OpenFile | undefined;
  #stale = false;
  #lost = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly #room: DiskRoom;
  #closed = false;

  constructor(limits: LogLimits, parts: LineLogParts) {
    this.#limits = limits;
    this.#parts = parts;
    this.#rest = new MovingLimit(parts.clock, () => this.#waiting.rest());
    this.#room = new DiskRoom(parts.clock, parts.minFreeBytes ?? leftFreeBytes);
  }

  get enabled(): boolean {
    return this.#limits.enabled;
  }

  get folder(): string {
    return this.#limits.folder;
  }

  /** New bounds are in force from the next write. */
  configure(limits: LogLimits): void {
    if (limits.folder !== this.#limits.folder) this.#failedAt = Number.NEGATIVE_INFINITY;
    this.#limits = limits;
    if (!limits.enabled) this.#parts.faults.end(this.#fault);
  }

  /** Takes one line, without its end. Never throws, never waits. */
  write(line: string): void {
    if (!this.#limits.enabled || this.#closed) return;
    if (this.#waiting.octets > maxWaiting) return this.#lose(1, 'the disk does not follow');
    this.#waiting.add(line);
    if (this.#waiting.hasFull && this.#mayTry) void this.#drain();
    else this.#schedule();
  }

  /** Closes the file; the next line opens it again (SIGHUP). */
  reopen(): void {
    this.#stale = true;
    void this.#drain();
  }

  /** Resolves when what was taken so far is written, or lost, or after five seconds. */
  async flush(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const limit = this.#parts.clock.after(flushLimitMs, late.resolve);
    await Promise.race([this.#drain(), late.promise]);
    limit.cancel();
  }

  /** For a process that breaks down: writes what waits to the file that is open, before it returns. Never throws. */
  flushNow(): void {
    if (this.#file === undefined) return;
    try {
      for (let piece = this.#waiting.take(); piece !== undefined; piece = this.#waiting.take())
        writeSync(this.#file.handle.fd, piece.octets);
    } catch {
      // The process ends by a fault that is told already.
    }
  }

  /** Writes what waits; takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    // What was under way may have looked for the end already.
    await this.flush();
    this.#rest[Symbol.dispose]();
  }

  get #fault(): string {
    return `log ${this.#parts.prefix}`;
  }

  get #mayTry(): boolean {
    return this.#closed || this.#parts.clock.monotonic() - this.#failedAt >= againMs;
  }

  #schedule(): void {
    this.#timer ??= this.#parts.clock.after(this.#mayTry ? flushDelayMs : againMs, () => void this.#drain());
  }

  /** Never rejects. */
  #drain(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#draining ??= this.#writeWaiting().finally(() => {
      this.#draining = undefined;
      if (this.#waiting.octets > 0) this.#schedule();
    });
    return this.#draining;
  }

  async #writeWaiting(): Promise<void> {
    const { clock, faults } = this.#parts;
    const slow = clock.after(slowMs, () =>
      faults.begin(this.#fault, `log ${this.#parts.prefix}: the file system of ${this.folder} does not answer`),
    );
    if (this.#stale) await this.#closeFile();
    this.#stale = false;
    for (let piece = this.#waiting.take(); piece !== undefined; piece = this.#waiting.take())
      if (!(await this.#append(piece))) break;
    if (this.#closed) await this.#closeFile();
    slow.cancel();
  }

  async #append(piece: Piece): Promise<boolean> {
    const { octets, lines } = piece;
    try {
      const file = await this.#open();
      await writeWhole(file.handle, octets);
      this.#waiting.giveBack(piece);
      this.#rest.set(restMs);
      file.size += octets.length;
      this.#parts.faults.end(this.#fault);
      this.#lost = 0;
      return true;
    } catch (error) {
      this.#failedAt = this.#parts.clock.monotonic();
      this.#lose(lines, error instanceof Error ? error.message : String(error));
      await this.#closeFile();
      return false;
    }
  }

  /** The file to write to: of this hour, below the size limit. */
  async #open(): Promise<OpenFile> {
    const { clock } = this.#parts;
    const now = clock.now();
    const hour = hourOf(now);
    await this.#room.need(this.folder);
    const file = this.#file;
    const isRight = file !== undefined && file.hour === hour && file.folder === this.folder;
    if (isRight && (await this.#sizeOf(file)) < this.#limits.maxFileSize) return file;
    await this.#closeFile();
    this.#file = await this.#openNext(hour, now);
    await this.#prune(now);
    return this.#file;
  }

  /** Other processes write to the file as well. */
  async #sizeOf(file: OpenFile): Promise<number> {
    const now = this.#parts.clock.monotonic();
    if (now - file.seenAt < sizeAgeMs) return file.size;
    file.size = (await file.handle.stat()).size;
    file.seenAt = now;
    return file.size;
  }

  /** Files that cannot be deleted are no reason to lose lines. */
  async #prune(now: number): Promise<void> {
    const { faults, prefix } = this.#parts;
    const key = `pruning of log ${prefix}`;
    try {
      await prune(this.#limits, prefix, now);
      faults.end(key);
    } catch (error) {
      faults.begin(key, `old files of log ${prefix} in ${this.folder} cannot be deleted: ${(error as Error).message}`);
    }
  }

  async #openNext(hour: string, now: number): Promise<OpenFile> {
    const { folder, maxFileSize } = this.#limits;
    const { prefix, header } = this.#parts;
    const last = logFilesAmong(await namesIn(folder), folder, prefix).findLast((file) => file.hour === hour);
    const text = header(now);
    for (let number = last === undefined ? 1 : last.archived ? last.number + 1 : last.number; ; number++) {
      const handle = await openToAppend(folder, join(folder, logFileName(prefix, hour, number)), text);
      const { size } = await handle.stat();
      // A limit below the size of the header must not make files without end.
      if (size < maxFileSize || size <= Buffer.byteLength(text)) {
        return { handle, folder, hour, number, size, seenAt: this.#parts.clock.monotonic() };
      }
      await handle.close();
    }
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    // What it refuses to close is of no use any more.
    await file?.handle.close().catch(() => undefined);
  }

  #lose(lines: number, reason: string): void {
    this.#lost += lines;
    this.#parts.faults.begin(
      this.#fault,
      `log ${this.#parts.prefix} in ${this.folder} cannot be written, ${this.#lost} lines are lost: ${reason}`,
    );
  }
}

/** In one call, so that lines of several processes do not mix; a disk that fills up takes it in parts. */
async function writeWhole(handle: FileHandle, octets: Buffer): Promise<void> {
  for (let at = 0; at < octets.length; ) {
    const { bytesWritten } = await handle.write(octets, at);
    if (bytesWritten === 0) throw new Error('nothing could be written');
    at += bytesWritten;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // It is made with the first file; anything else is heard then.
    return [];
  }
}
