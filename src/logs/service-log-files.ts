import { renameSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock } from '../base/index.ts';
import { leftFreeBytes } from './files/disk-room.ts';

/** Bounds of the service log. */
export interface ServiceLogBounds {
  /** Octets at which a new file is begun. */
  readonly maxFileSize: number;
  /** Files kept beside the one that is written: service.log.1 is the newest. */
  readonly keep: number;
}

const serviceLogBounds: ServiceLogBounds = { maxFileSize: 16 * 1024 ** 2, keep: 8 };

/** How often each process looks at the file that all of them write to, in milliseconds. */
const lookEveryMs = 10_000;

/** A process that wrote so many octets looks at once: a burst must not wait for the next look. */
const lookAfterOctets = 2 * 1024 ** 2;

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
  #octets = 0;
  #hasRoom = true;

  constructor(file: OpenFile, bounds: ServiceLogBounds = serviceLogBounds) {
    this.#file = file;
    this.#bounds = bounds;
    this.#inode = inodeOf(file.path);
  }

  /** A line of so many octets is about to be written. False: it must not be, the disk is nearly full. */
  takes(octets: number): boolean {
    this.#octets += octets;
    if (this.#octets >= lookAfterOctets) this.look();
    return this.#hasRoom;
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
    this.#octets = 0;
    this.#hasRoom = hasRoom(path);
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

/** As for all logs; those that have a fault of their own tell it. */
function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= leftFreeBytes;
  } catch {
    // Whoever writes hears what is wrong.
    return true;
  }
}
