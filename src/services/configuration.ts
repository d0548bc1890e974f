import type { FaultReport } from '../base/index.ts';
import type { Snapshot, SnapshotHolder } from '../config/index.ts';

/** Which configuration a process runs on. */
export interface ConfigurationState {
  /** Update of the directory that it was read at. */
  readonly usn: number;
  /** A newer one that could not be taken up, and why. */
  readonly refused?: { readonly usn: number; readonly reason: string };
}

const staleFault = 'configuration';

/** Takes up what changed in the directory. What cannot be taken up leaves the configuration before in force, and is a fault until one can. */
export class ConfigurationFollower {
  readonly #snapshots: Pick<SnapshotHolder, 'current' | 'refresh'>;
  readonly #faults: FaultReport;
  #refused: { readonly usn: number; readonly reason: string } | undefined;

  constructor(snapshots: Pick<SnapshotHolder, 'current' | 'refresh'>, faults: FaultReport) {
    this.#snapshots = snapshots;
    this.#faults = faults;
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
      this.#faults.end(staleFault);
      return changed;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#refused = { usn, reason };
      this.#faults.begin(
        staleFault,
        `update ${usn} of the configuration cannot be taken up, ${this.#snapshots.current.usn} stays in force: ${reason}`,
      );
      return false;
    }
  }
}
