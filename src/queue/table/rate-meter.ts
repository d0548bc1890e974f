const windowMs = 60_000;

/** Events in a second over about the last minute: this minute's count and the fitting share of the one before. */
export class RateMeter {
  #window = 0;
  #count = 0;
  #before = 0;

  add(now: number): void {
    this.#roll(now);
    this.#count += 1;
  }

  perSecond(now: number): number {
    this.#roll(now);
    const share = 1 - (now % windowMs) / windowMs;
    return (this.#count + this.#before * share) / (windowMs / 1_000);
  }

  #roll(now: number): void {
    const window = Math.floor(now / windowMs);
    if (window === this.#window) return;
    this.#before = window === this.#window + 1 ? this.#count : 0;
    this.#count = 0;
    this.#window = window;
  }
}
