/** How long work that is done in slices gives way to others in between. */
export interface Pace {
  /** Others wait, or had this turn of the event loop already: a pause is due before anything is begun. */
  readonly crowded: boolean;
  /** Counts time that was taken, in milliseconds. */
  spend(ms: number): void;
  /** Resolves in a later turn of the event loop. */
  pause(): Promise<void>;
}

/** Lets everything else run in each pause, and is alone otherwise. */
export const unpaced: Pace = {
  crowded: false,
  spend: () => undefined,
  pause: () => new Promise((resume) => setImmediate(resume)),
};

/** Work that waits: `alone`: what it wakes runs later, so that nothing else may be begun in the same turn of the event loop. */
interface Waiting {
  readonly work: () => void;
  readonly alone: boolean;
}

/**
 * Work of many sources that share one thread: so much of it in one turn of the event loop, and the sources take turns, one piece of
 * work each. However many want something at once, everything else is served between two turns, and who wants little is not behind
 * who wants much. While nobody waits, work runs at once.
 */
export class FairTurns {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #sources = new Map<string, Waiting[]>();
  #spentMs = 0;
  #scheduled = false;

  /** `sliceMs`: time for all work in one turn of the event loop; the piece that goes beyond it is the last. `now`: in milliseconds. */
  constructor(sliceMs: number, now: () => number = () => performance.now()) {
    this.#sliceMs = sliceMs;
    this.#now = now;
  }

  /** Pieces of work of a source that wait. */
  waiting(source: string): number {
    return this.#sources.get(source)?.length ?? 0;
  }

  /** Runs the work, which must not throw: at once, or when it is the turn of its source. */
  run(source: string, work: () => void): void {
    if (this.#isCrowded) this.later(source, work);
    else this.#timed(work);
  }

  /** Runs the work in a later turn of the event loop, when it is the turn of its source. */
  later(source: string, work: () => void): void {
    this.#enqueue(source, { work, alone: false });
  }

  /** For work of a source that takes long, and is done in slices: each of them waits for the source's turn. */
  paceOf(source: string): Pace {
    const isCrowded = (): boolean => this.#isCrowded;
    return {
      get crowded() {
        return isCrowded();
      },
      spend: (ms) => this.#spend(ms),
      pause: () => new Promise((resolve) => this.#enqueue(source, { work: resolve, alone: true })),
    };
  }

  get #isCrowded(): boolean {
    return this.#sources.size > 0 || this.#spentMs >= this.#sliceMs;
  }

  #enqueue(source: string, waiting: Waiting): void {
    const same = this.#sources.get(source);
    if (same === undefined) this.#sources.set(source, [waiting]);
    else same.push(waiting);
    this.#schedule();
  }

  #timed(work: () => void): void {
    const begun = this.#now();
    work();
    this.#spend(this.#now() - begun);
  }

  #spend(ms: number): void {
    this.#spentMs += ms;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#spentMs = 0;
    while (this.#spentMs < this.#sliceMs) {
      const next = this.#shift();
      if (next === undefined) return;
      this.#timed(next.work);
      if (next.alone) return;
    }
  }

  /** The oldest of the source whose turn it is, which is behind all others then. */
  #shift(): Waiting | undefined {
    for (const [source, waiting] of this.#sources) {
      const next = waiting.shift();
      this.#sources.delete(source);
      if (waiting.length > 0) this.#sources.set(source, waiting);
      return next;
    }
    return undefined;
  }
}
