import type { FaultReport } from '../../base/index.ts';
import type { CrashNotes, Spool } from '../model/contract.ts';

const fault = 'crash notes';

/**
 * Messages that were in delivery when the process broke down, and how often. They are noted while it breaks down (an uncaught
 * exception), not before each delivery: that costs nothing, and a process that is killed from outside accuses nobody. What
 * breaks the runtime itself is therefore not counted.
 */
export class PoisonDetection {
  readonly #notes: CrashNotes;
  readonly #faults: FaultReport;
  readonly #counts: Map<number, number>;
  readonly #active = new Set<number>();

  constructor(spool: Pick<Spool, 'crashNotes' | 'get'>, faults: FaultReport) {
    this.#faults = faults;
    this.#notes = spool.crashNotes;
    this.#counts = new Map([...spool.crashNotes.read()].filter(([id]) => spool.get(id) !== undefined));
  }

  /** How often the message was in delivery when the process broke down. */
  crashes(id: number): number {
    return this.#counts.get(id) ?? 0;
  }

  mustWait(id: number): boolean {
    return this.#counts.size > 0 && this.#counts.has(id) && this.#active.size > 0;
  }

  begin(id: number): void {
    if (this.#counts.has(id)) this.#active.add(id);
  }

  /** Delivered without harm, unless `cleared` is false. */
  end(id: number, cleared = true): void {
    if (!this.#active.delete(id) || !cleared) return;
    this.clear(id);
  }

  clear(id: number): void {
    if (this.#counts.delete(id)) this.#write(this.#counts);
  }

  /** The process breaks down with these in delivery. Never throws. */
  count(ids: Iterable<number>): void {
    const counts = new Map(this.#counts);
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    this.#write(counts);
  }

  #write(counts: ReadonlyMap<number, number>): void {
    try {
      this.#notes.write(counts);
      this.#faults.end(fault);
    } catch (error) {
      // A note less is no harm: the message is tried once more.
      this.#faults.begin(fault, `messages that break the process cannot be noted: ${(error as Error).message}`);
    }
  }
}

/** Said with `faults.end` when the message leaves the queue of poison messages. */
export function reportPoison(faults: FaultReport, { id }: { readonly id: number }, reason: string): void {
  faults.begin(
    `message ${id}`,
    `message ${id} is set aside in the queue Poison and not delivered: ${reason} (Resume-Message tries it again, Remove-Message removes it)`,
  );
}
