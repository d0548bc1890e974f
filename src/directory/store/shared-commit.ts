/**
 * One transaction for all operations of the moment: one sync to disk, one look at schema and counters, one word to the listeners.
 * What is asked for while a transaction waits for its turn goes into it; each operation has its own outcome.
 */
import type { Change, WriteResult } from './entries/contract.ts';
import type { Outcome } from './operations.ts';

export interface SharedCommitParts {
  /** Runs the work in a transaction, later than it is asked to. Resolves when it is on disk. */
  readonly transaction: (work: () => void) => Promise<void>;
  /** Runs one operation; when it throws, it has left nothing behind. */
  readonly attempt: (work: () => Outcome) => Outcome;
  /** Hears of what was written, before those who asked for it. */
  readonly committed: (changes: readonly Change[]) => void;
}

interface Slot {
  readonly work: () => Outcome;
  outcome?: Outcome;
  error?: unknown;
}

interface Group {
  readonly slots: Slot[];
  readonly committed: Promise<void>;
}

export class SharedCommit {
  readonly #parts: SharedCommitParts;
  /** The one that has not begun. */
  #open: Group | undefined;

  constructor(parts: SharedCommitParts) {
    this.#parts = parts;
  }

  /** Runs an operation that throws before it writes anything. Resolves when it is on disk; rejects with what it threw. */
  async run(work: () => Outcome): Promise<WriteResult> {
    const slot: Slot = { work };
    this.#open ??= this.#begin();
    this.#open.slots.push(slot);
    await this.#open.committed;
    if (slot.outcome === undefined) throw slot.error;
    return slot.outcome.result;
  }

  /** To be called before another transaction is asked for: what comes after it is done after it. */
  seal(): void {
    this.#open = undefined;
  }

  #begin(): Group {
    const slots: Slot[] = [];
    const group: Group = { slots, committed: this.#commit(slots, () => this.#ended(group)) };
    return group;
  }

  async #commit(slots: readonly Slot[], begun: () => void): Promise<void> {
    try {
      await this.#parts.transaction(() => {
        begun();
        for (const slot of slots) this.#attempt(slot);
      });
    } finally {
      begun();
    }
    const changes = slots.flatMap(({ outcome }) => outcome?.changes ?? []);
    if (changes.length > 0) this.#parts.committed(changes);
  }

  #ended(group: Group): void {
    if (this.#open === group) this.#open = undefined;
  }

  #attempt(slot: Slot): void {
    try {
      slot.outcome = this.#parts.attempt(slot.work);
    } catch (error) {
      slot.error = error;
    }
  }
}
