import type { FaultReport } from './faults.ts';

/** Faults that a look at many things finds: what it does not find again is over. */
export class FoundFaults {
  readonly #report: FaultReport;
  #found: ReadonlyMap<string, string> = new Map();

  constructor(report: FaultReport) {
    this.#report = report;
  }

  /** All that was found now: keys of faults with their texts. */
  set(found: ReadonlyMap<string, string>): void {
    for (const key of this.#found.keys()) if (!found.has(key)) this.#report.end(key);
    for (const [key, text] of found) this.#report.begin(key, text);
    this.#found = found;
  }
}
