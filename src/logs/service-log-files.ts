import { renameSync, statSync } from 'node:fs';
import { systemClock } from '../base/index.ts';

/** Bounds of the service log. */
export interface ServiceLogBounds {
  /** Octets at which a new file is begun. */
  readonly maxFileSize: number;
  /** Files kept beside the one that is written: service.log.1 is the newest. */
  readonly keep: number;
}

export const serviceLogBounds: ServiceLogBounds = { maxFileSize: 16 * 1024 ** 2, keep: 8 };

/** How often each process looks at the file that all of them write to, in milliseconds. */
const lookEveryMs = 10_000;

/** The file that one process has open, and how it is opened anew. */
export interface OpenFile {
  readonly path: string;
  reopen(): void;
}

/**
 * Keeps the service log within its bounds: peers that are refused without end must not fill the disk. Several processes
 * append to one file; whoever sees first that it is large moves it away, the others see that theirs is another one.
 */
export class ServiceLogFiles {
  readonly #file: OpenFile;
  readonly #bounds: ServiceLogBounds;
  #inode: number;

  constructor(file: OpenFile, bounds: ServiceLogBounds = serviceLogBounds) {
    this.#file = file;
    this.#bounds = bounds;
    this.#inode = inodeOf(file.path);
  }

  /** Looks now and then until the process ends. */
  watch(): void {
    systemClock.after(lookEveryMs, () => {
      this.look();
      this.watch();
    });
  }

  /** One look. What cannot be moved stays, and is tried again. */
  look(): void {
    const { path } = this.#file;
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > this.#bounds.maxFileSize) this.#moveAway(path);
    } catch {
      // The log goes on in the file that is there.
    }
    const inode = inodeOf(path);
    if (inode === this.#inode && inode !== 0) return;
    this.#file.reopen();
    this.#inode = inodeOf(path);
  }

  #moveAway(path: string): void {
    for (let n = this.#bounds.keep - 1; n >= 1; n--) {
      if (inodeOf(`${path}.${n}`) !== 0) renameSync(`${path}.${n}`, `${path}.${n + 1}`);
    }
    renameSync(path, `${path}.1`);
  }
}

/** 0: there is no such file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
