import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Entries that are kept. */
const mostEntries = 5000;
/** An entry longer than this, in characters, is used once and not kept. */
const longestEntry = 100_000;
/** Lines that may hold a secret are not written to disk: the rule of PSReadLine. */
const sensitive = /password|passphrase|asplaintext|secret|token|api-?key|private-?key|credential/i;

/** The lines of former sessions and of this one, oldest first. On disk one line each, readable by its owner alone. */
export class History {
  readonly #path: string | undefined;
  readonly #entries: string[];

  private constructor(path: string | undefined, entries: string[]) {
    this.#path = path;
    this.#entries = entries;
  }

  /** A history that forgets at the end. */
  static inMemory(entries: readonly string[] = []): History {
    return new History(undefined, [...entries]);
  }

  /** Reads the file, and shortens it when it has grown long. Where it cannot be kept, or is no file of this account, it stays in memory. */
  static async open(path: string): Promise<History> {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const all = readLines(path);
      const entries = all.slice(-mostEntries);
      if (all.length > 2 * mostEntries) {
        const { replaceFile } = await import('../../base/index.ts');
        await replaceFile(path, entries.map((entry) => `${escaped(entry)}\n`).join(''));
      }
      return new History(path, entries);
    } catch {
      return History.inMemory();
    }
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Takes a line that was run. Other sessions may write to the same file: lines are only added. */
  add(entry: string): void {
    if (entry.trim() === '' || entry.length > longestEntry || this.#entries.at(-1) === entry) return;
    this.#entries.push(entry);
    if (this.#path === undefined || sensitive.test(entry)) return;
    try {
      const file = openOwn(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
      try {
        writeSync(file, `${escaped(entry)}\n`);
      } finally {
        closeSync(file);
      }
    } catch {
      // A full disk must not keep anybody from working.
    }
  }

  /** Index of the next entry before (-1) or behind (1) an index that fits and differs from a text; undefined for none. */
  find(from: number, step: 1 | -1, fits: (entry: string) => boolean, not = ''): number | undefined {
    for (let i = from + step; i >= 0 && i < this.#entries.length; i += step) {
      const entry = this.#entries[i] ?? '';
      if (entry !== not && fits(entry)) return i;
    }
    return undefined;
  }

  /** The newest entry that goes on after a text. */
  continuing(text: string): string | undefined {
    if (text.trim() === '') return undefined;
    const folded = text.toLowerCase();
    return this.#entries.findLast((entry) => entry.length > text.length && entry.toLowerCase().startsWith(folded));
  }
}

/**
 * Opens the file, for its owner alone whoever made it. A shell of root may have another account's home: what is a link, has a second
 * name or belongs to somebody else is not opened, so that nothing else is read, written or given another mode. Throws Error.
 */
function openOwn(path: string, flags: number): number {
  const file = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.nlink !== 1 || stat.uid !== process.getuid?.())
      throw new Error(`${path} is no file of this account alone`);
    fchmodSync(file, 0o600);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** None for a file that is not there yet. Throws Error for one that is not ours. */
function readLines(path: string): string[] {
  let file: number;
  try {
    file = openOwn(path, constants.O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(unescaped);
  } finally {
    closeSync(file);
  }
}

const escaped = (entry: string): string => entry.replace(/[\\\n]/g, (char) => (char === '\n' ? '\\n' : '\\\\'));
const unescaped = (line: string): string => line.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
