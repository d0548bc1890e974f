/** What one of those who share holds now. */
export interface Share extends Disposable {
  /** Sets the octets that it holds now. */
  hold(octets: number): void;
}

interface Holder {
  held: number;
  /** Ends it, so that what it holds is given back. */
  readonly end: () => void;
}

/**
 * A bound on the octets that many hold together, as of requests that have begun. Beyond it the one that began first is ended, of
 * those that hold no less than the average: a slow sender with little stays, and so does a large request that comes at once.
 */
export class HeldShares {
  readonly #most: number;
  /** Those who hold something, in the order in which they began. */
  readonly #holders = new Set<Holder>();
  #held = 0;

  /** `most`: octets. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Octets held by all. */
  get held(): number {
    return this.#held;
  }

  /** Takes one in that holds nothing yet. */
  enter(end: () => void): Share {
    const holder: Holder = { held: 0, end };
    const hold = (octets: number): void => {
      this.#held += octets - holder.held;
      holder.held = octets;
      if (octets === 0) this.#holders.delete(holder);
      else this.#holders.add(holder);
      while (this.#held > this.#most) this.#endOne();
    };
    return { hold, [Symbol.dispose]: () => hold(0) };
  }

  #endOne(): void {
    const average = this.#held / this.#holders.size;
    for (const holder of this.#holders) {
      if (holder.held < average) continue;
      this.#holders.delete(holder);
      this.#held -= holder.held;
      holder.held = 0;
      return holder.end();
    }
  }
}
