import type { Snapshot, SnapshotSource } from './contract.ts';
import type { SnapshotBuilder } from './snapshot-builder.ts';

/** Holds the snapshot in force. `refresh` is called when the directory changed. */
export class SnapshotHolder implements SnapshotSource {
  readonly #builder: Pick<SnapshotBuilder, 'build'>;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  #current: Snapshot;

  /** Builds the first snapshot at once. */
  constructor(builder: Pick<SnapshotBuilder, 'build'>) {
    this.#builder = builder;
    this.#current = builder.build();
  }

  get current(): Snapshot {
    return this.#current;
  }

  onChange(listener: (snapshot: Snapshot) => void): Disposable {
    // A wrapper of its own, so that one function given twice is two listeners.
    const own = (snapshot: Snapshot): void => listener(snapshot);
    this.#listeners.add(own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) };
  }

  /** Reads the directory and swaps the snapshot in. True when it differs from the one before. */
  refresh(): boolean {
    const next = this.#builder.build();
    if (next.usn === this.#current.usn) return false;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener(next);
    return true;
  }
}
