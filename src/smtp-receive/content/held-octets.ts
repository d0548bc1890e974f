/** Octets of all sessions of a worker that wait in memory: what strangers send must not add up without a bound. */
export class HeldOctets {
  readonly #most: number;
  #held = 0;

  /** `most`: octets. */
  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Counts octets in. False: there is no room for them, and they do not count. */
  take(octets: number): boolean {
    if (this.#held + octets > this.#most) return false;
    this.#held += octets;
    return true;
  }

  /** Gives back what take() counted. */
  give(octets: number): void {
    this.#held -= octets;
  }
}
