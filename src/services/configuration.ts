import type { Snapshot, SnapshotHolder } from '../config/index.ts';

/** Which configuration a process runs on. */
export interface ConfigurationState {
  /** Update of the directory that it was read at. */
  readonly usn: number;
  /** A newer one that could not be taken up, and why. */
  readonly refused?: { readonly usn: number; readonly reason: string };
}

/** Takes up what changed in the directory. What cannot be taken up leaves the configuration before in force, and says so. */
export class ConfigurationFollower {
  readonly #snapshots: Pick<SnapshotHolder, 'current' | 'refresh'>;
  readonly #onRefusal: (error: Error, usn: number) => void;
  #refused: { readonly usn: number; readonly reason: string } | undefined;

  /** `onRefusal` hears of each update that could not be taken up. */
  constructor(snapshots: Pick<SnapshotHolder, 'current' | 'refresh'>, onRefusal: (error: Error, usn: number) => void) {
    this.#snapshots = snapshots;
    this.#onRefusal = onRefusal;
  }

  get state(): ConfigurationState {
    return { usn: this.#snapshots.current.usn, ...(this.#refused !== undefined && { refused: this.#refused }) };
  }

  get current(): Snapshot {
    return this.#snapshots.current;
  }

  /** Reads the directory, which is at this update. True when another configuration is in force now. Never throws. */
  takeUp(usn: number): boolean {
    try {
      const changed = this.#snapshots.refresh();
      this.#refused = undefined;
      return changed;
    } catch (error) {
      this.#refused = { usn, reason: (error as Error).message };
      this.#onRefusal(error as Error, usn);
      return false;
    }
  }
}
