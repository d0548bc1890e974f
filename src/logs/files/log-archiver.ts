import { lstat, rm } from 'node:fs/promises';
import type { Clock, FaultReport } from '../../base/index.ts';
import { archive, type TermsOf } from './log-archive.ts';
import { archiveSuffix, hourOf, type LogFile, listLogFiles } from './log-files.ts';
import { type LogBounds, prune } from './prune.ts';

/** A log whose finished files are compressed. */
export interface ArchivedLog {
  readonly prefix: string;
  readonly bounds: LogBounds & { readonly maxFileSize: number };
  readonly termsOf: TermsOf;
}

/** Time between two looks, in milliseconds. */
const lookEveryMs = 10_000;
/** A file is finished when nobody wrote to it for so long, in milliseconds, and it is full or of an earlier hour. */
const quietMs = 5_000;

export interface LogArchiverParts {
  readonly clock: Clock;
  readonly faults: FaultReport;
  /** The logs as the configuration has them now. */
  readonly logs: () => readonly ArchivedLog[];
}

/** Compresses finished files of the logs, one at a time, and keeps the logs within their bounds. One process of a server does it. */
export class LogArchiver implements AsyncDisposable {
  readonly #parts: LogArchiverParts;
  #timer: { cancel(): void } | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(parts: LogArchiverParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#parts.clock.after(lookEveryMs, () => {
      void this.look().then(() => this.start());
    });
  }

  /** Looks once at every log. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const { clock, faults, logs } = this.#parts;
    for (const log of logs()) {
      const key = `archive of log ${log.prefix}`;
      try {
        const files = await this.#finished(log);
        for (const file of files) if (!this.#closed) await archive(file, log.termsOf);
        if (files.length > 0) await prune(log.bounds, log.prefix, clock.now());
        faults.end(key);
      } catch (error) {
        faults.begin(
          key,
          `files of log ${log.prefix} in ${log.bounds.folder} cannot be compressed: ${(error as Error).message}`,
        );
      }
    }
  }

  async #finished({ prefix, bounds }: ArchivedLog): Promise<LogFile[]> {
    const now = this.#parts.clock.now();
    const hour = hourOf(now);
    const files = listLogFiles(bounds.folder, prefix);
    const finished: LogFile[] = [];
    for (const file of files) {
      if (file.archived) {
        await rm(file.path.slice(0, -archiveSuffix.length), { force: true });
        continue;
      }
      const { size, mtimeMs } = await lstat(file.path);
      const isOver = file.hour < hour || size >= bounds.maxFileSize;
      if (isOver && Math.abs(now - mtimeMs) >= quietMs) finished.push(file);
    }
    return finished;
  }
}
