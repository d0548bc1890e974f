/** Destinations that TLS keeps mail from, for status: until a connection to them succeeds, or they are forgotten. */
import { type Clock, printable } from '../../base/index.ts';

export interface TlsTrouble {
  /** The recipient domain, or the smart host. */
  readonly destination: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly last: number;
  readonly times: number;
}

/** Destinations remembered; the one that failed longest ago goes. */
const most = 200;
/** A destination that nobody has tried for so long is told no more, in milliseconds. */
const spanMs = 24 * 60 * 60_000;

export class TlsTroubles {
  readonly #clock: Clock;
  readonly #known = new Map<string, TlsTrouble>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  failed(destination: string, reason: string): void {
    const now = this.#clock.now();
    const known = this.#known.get(destination);
    this.#known.delete(destination);
    this.#known.set(destination, {
      destination,
      reason: printable(reason, 300),
      since: known?.since ?? now,
      last: now,
      times: (known?.times ?? 0) + 1,
    });
    if (this.#known.size <= most) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }

  succeeded(destination: string): void {
    if (this.#known.size > 0) this.#known.delete(destination);
  }

  /** The latest first. */
  get current(): readonly TlsTrouble[] {
    const from = this.#clock.now() - spanMs;
    return [...this.#known.values()].filter(({ last }) => last >= from).reverse();
  }
}
