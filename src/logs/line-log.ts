import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/index.ts';

/** Bounds of one log, from the transport service object. */
export interface LogLimits {
  readonly enabled: boolean;
  readonly folder: string;
  /** Seconds; files older than this are deleted. Infinity or 0: kept. */
  readonly maxAge: number;
  /** Bytes of all files of this log together; the oldest go first. */
  readonly maxDirectorySize: number;
  /** Bytes after which a new file is begun. */
  readonly maxFileSize: number;
}

export interface LineLogParts {
  /** Start of the file names: 'MSGTRK', 'RECV', … */
  readonly prefix: string;
  /** Lines at the start of each file, with their line ends. */
  readonly header: (nowMs: number) => string;
  readonly clock: Clock;
  /** Told of a write that failed, at most once a minute: a full disk must not stop mail, and must not be silent. */
  readonly onError: (error: Error) => void;
}

/** Lines wait this long for company, in milliseconds: a crash loses no more than that of the log. */
const flushDelayMs = 200;
/** …or until so many characters are waiting. */
const flushLength = 128 * 1024;
/** More than this waiting means the disk does not follow; what comes on top is dropped and counted. */
const maxWaiting = 16 * 1024 * 1024;

/**
 * Appends lines to files named by hour and number, shared by all workers: every write is whole lines in one call on an
 * O_APPEND descriptor, so lines of different processes never mix. Files are pruned by age and by size of the folder.
 */
export class LineLog {
  #parts: LineLogParts;
  #limits: LogLimits;
  #lines: string[] = [];
  #waiting = 0;
  #timer: { cancel(): void } | undefined;
  #writing = false;
  #file: { fd: number; hour: string; number: number } | undefined;
  /** Descriptors that an asynchronous write still uses: closed when it is done. */
  #retired: number[] = [];
  #dropped = 0;
  #lastError = 0;
  #closed = false;

  constructor(limits: LogLimits, parts: LineLogParts) {
    this.#limits = limits;
    this.#parts = parts;
  }

  get enabled(): boolean {
    return this.#limits.enabled;
  }

  get folder(): string {
    return this.#limits.folder;
  }

  /** New bounds are in force from the next write. */
  configure(limits: LogLimits): void {
    if (limits.folder !== this.#limits.folder) this.reopen();
    this.#limits = limits;
  }

  /** Takes one line, without its end. Never throws, never waits. */
  write(line: string): void {
    if (!this.#limits.enabled || this.#closed) return;
    if (this.#waiting > maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    if (this.#waiting >= flushLength) this.#flush();
    else this.#timer ??= this.#parts.clock.after(flushDelayMs, () => this.#flush());
  }

  /** Writes what waits and closes the file; the next line opens it again (SIGHUP). */
  reopen(): void {
    this.flushNow();
    this.#retire();
  }

  /** Writes what waits before it returns. */
  flushNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#take();
    this.#guard(() => writeSync(this.#open(), text));
  }

  /** Writes the line, and what waits before it, before it returns. Throws when the line cannot be written. */
  writeNow(line: string): void {
    this.flushNow();
    writeSync(this.#open(), `${line}\r\n`);
  }

  close(): void {
    this.reopen();
    this.#closed = true;
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#writing || this.#lines.length === 0) return;
    this.#guard(() => {
      const fd = this.#open();
      this.#writing = true;
      write(fd, this.#take(), (error) => {
        this.#writing = false;
        for (const fd of this.#retired.splice(0)) closeSync(fd);
        if (error !== null) this.#failed(error);
        if (this.#lines.length > 0) this.#timer ??= this.#parts.clock.after(flushDelayMs, () => this.#flush());
      });
    });
  }

  #take(): string {
    const text = this.#lines.join('\r\n') + '\r\n';
    this.#lines = [];
    this.#waiting = 0;
    return text;
  }

  /** The descriptor to write to: of this hour, below the size limit. */
  #open(): number {
    const now = this.#parts.clock.now();
    const hour = new Date(now).toISOString().slice(0, 13).replace(/[-T]/g, '');
    const file = this.#file;
    if (file !== undefined && file.hour === hour && fstatSync(file.fd).size < this.#limits.maxFileSize) return file.fd;
    this.#retire();
    mkdirSync(this.#limits.folder, { recursive: true, mode: 0o700 });
    for (let number = file?.hour === hour ? file.number : 1; ; number++) {
      const fd = this.#openNumber(hour, number, now);
      if (fstatSync(fd).size < this.#limits.maxFileSize) {
        this.#file = { fd, hour, number };
        prune(this.#limits, this.#parts.prefix, now);
        return fd;
      }
      closeSync(fd);
    }
  }

  #retire(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    if (this.#writing) this.#retired.push(file.fd);
    else closeSync(file.fd);
  }

  #openNumber(hour: string, number: number, now: number): number {
    const path = join(this.#limits.folder, `${this.#parts.prefix}${hour}-${number}.LOG`);
    const flags = constants.O_WRONLY | constants.O_APPEND;
    try {
      return openSync(path, flags);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    // The header must come first though several workers may begin the file at once: it is written aside and linked.
    const draft = `${path}.${randomBytes(4).toString('hex')}`;
    writeFileSync(draft, this.#parts.header(now), { mode: 0o600, flag: 'wx' });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
    return openSync(path, flags);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#lines = [];
      this.#waiting = 0;
      this.#failed(error as Error);
    }
  }

  #failed(cause: Error): void {
    const now = this.#parts.clock.now();
    if (now - this.#lastError < 60_000) return;
    this.#lastError = now;
    const lost = this.#dropped > 0 ? `, ${this.#dropped} lines lost` : '';
    this.#parts.onError(
      new Error(`log ${this.#parts.prefix} in ${this.#limits.folder} cannot be written${lost}`, { cause }),
    );
  }
}

/** Deletes files of one log that are too old, then the oldest until the folder is within its size. */
export function prune(limits: LogLimits, prefix: string, nowMs: number): void {
  const pattern = new RegExp(`^${prefix}(\\d{10})-(\\d+)\\.LOG$`);
  const files = readdirSync(limits.folder)
    .flatMap((name) => {
      const match = pattern.exec(name);
      const stat = match === null ? undefined : statSync(join(limits.folder, name), { throwIfNoEntry: false });
      if (match === null || stat === undefined) return [];
      return [{ name, hour: match[1] ?? '', number: Number(match[2]), size: stat.size, changed: stat.mtimeMs }];
    })
    .sort((a, b) => (a.hour === b.hour ? b.number - a.number : a.hour < b.hour ? 1 : -1));
  let total = 0;
  for (const [age, file] of files.entries()) {
    total += file.size;
    const tooOld = limits.maxAge > 0 && nowMs - file.changed > limits.maxAge * 1000;
    if (age > 0 && (tooOld || total > limits.maxDirectorySize)) rmSync(join(limits.folder, file.name), { force: true });
  }
}
