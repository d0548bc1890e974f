import type { Clock } from '../../base/index.ts';
import { DnsError } from './resolver.ts';

/** Names looked up for one delivery at most: a domain with a thousand exchangers must not keep us busy. */
const mostNames = 10;
/** Time that the lookups of one delivery take together, in milliseconds. */
const mostMs = 60_000;

/** Bounds what it may cost to find a target. */
export class LookupBudget {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #names = mostNames;
  #leftMs = mostMs;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Runs one lookup with what is left of the time. Throws DnsError 'temporary' when nothing is left. */
  async spend<T>(lookup: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#names <= 0) throw new DnsError('temporary', `More than ${mostNames} names had to be looked up`);
    if (this.#leftMs <= 0) throw new DnsError('temporary', `The DNS took more than ${mostMs / 1_000} s`);
    this.#names -= 1;
    const begun = this.#clock.monotonic();
    const limit = new AbortController();
    const timer = this.#clock.after(this.#leftMs, () => limit.abort());
    try {
      return await lookup(AbortSignal.any([this.#signal, limit.signal]));
    } finally {
      timer.cancel();
      this.#leftMs -= this.#clock.monotonic() - begun;
    }
  }
}
