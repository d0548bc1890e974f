import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { CrashNotes } from '../model/contract.ts';

/** Crash notes in a file beside the store. Written without a sync: a breakdown of the process leaves the page cache alone. */
export class CrashNoteFile implements CrashNotes {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(): ReadonlyMap<number, number> {
    try {
      const entries: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return new Map(Array.isArray(entries) ? entries.filter(isNote) : []);
    } catch {
      return new Map();
    }
  }

  write(counts: ReadonlyMap<number, number>): void {
    if (counts.size === 0) return rmSync(this.#path, { force: true });
    const draft = `${this.#path}.tmp`;
    writeFileSync(draft, JSON.stringify([...counts]), { mode: 0o600 });
    renameSync(draft, this.#path);
  }
}

function isNote(entry: unknown): entry is [number, number] {
  return Array.isArray(entry) && typeof entry[0] === 'number' && typeof entry[1] === 'number';
}
