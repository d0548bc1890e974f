/**
 * Octets read after which young garbage is collected. Each read of a socket or a file fills a buffer of 64 KB or more, which is
 * given back with its object: left alone V8 gathers 32 to 64 MB of them first, and the holes that they leave in the memory of
 * the process stay. It counts them as if they were objects, too: with 12 MB of them it marked its whole heap for each
 * second message of 10 MB, which was a third of the work for it.
 */
const collectEvery = 6 * 1024 ** 2;

/** Counts what was read, and collects what was made of it, where the process was started with --expose-gc. */
export class ReadGarbage {
  readonly #collect: (() => void) | undefined;
  #octets = 0;

  constructor(collect: (() => void) | undefined = youngCollection()) {
    this.#collect = collect;
  }

  add(octets: number): void {
    this.#octets += octets;
    if (this.#octets < collectEvery) return;
    this.#octets = 0;
    this.#collect?.();
  }
}

function youngCollection(): (() => void) | undefined {
  const { gc } = globalThis as { gc?: (options: object) => void };
  return gc && (() => gc({ type: 'minor', execution: 'sync' }));
}
