import type { Clock } from './clock.ts';

/**
 * A limit of time that is set far more often than it is reached: one timer serves them all. It is set anew when it rings before
 * the limit, not each time the limit moves.
 */
export class MovingLimit {
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #reached: () => void;
  /** Monotonic time. */
  #limit = Number.POSITIVE_INFINITY;
  #timer: { readonly ringsAt: number; readonly handle: { cancel(): void } } | undefined;

  constructor(clock: Pick<Clock, 'monotonic' | 'after'>, reached: () => void) {
    this.#clock = clock;
    this.#reached = reached;
  }

  /** `reached` is called in `ms` from now, unless it is set again or cleared before. */
  set(ms: number): void {
    this.#limit = this.#clock.monotonic() + ms;
    if (this.#timer !== undefined && this.#timer.ringsAt <= this.#limit) return;
    this.#timer?.handle.cancel();
    this.#arm(ms);
  }

  /** The timer goes on to its end, and then nothing happens. */
  clear(): void {
    this.#limit = Number.POSITIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.clear();
    this.#timer?.handle.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = { ringsAt: this.#limit, handle: this.#clock.after(ms, () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    if (this.#limit === Number.POSITIVE_INFINITY) return;
    const left = this.#limit - this.#clock.monotonic();
    if (left > 0) return this.#arm(left);
    this.clear();
    this.#reached();
  }
}
