/** Stops operations whose time is over, with one timer for a whole connection: most operations end long before. */
import type { RunningOperation } from './running-operations.ts';

export class Deadlines implements Disposable {
  readonly #ends = new Map<RunningOperation, number>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, on the clock of `performance.now`. */
  #wakesAt = Number.POSITIVE_INFINITY;

  /** Stops the operation with the reason `timeLimit` after so many milliseconds, unless disposed of before. */
  set(operation: RunningOperation, ms: number): Disposable {
    const end = performance.now() + ms;
    this.#ends.set(operation, end);
    if (end < this.#wakesAt) this.#wakeAt(end);
    return { [Symbol.dispose]: () => this.#ends.delete(operation) };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#ends.clear();
  }

  #wakeAt(end: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = end;
    this.#timer = setTimeout(() => this.#stopLate(), Math.max(1, end - performance.now())).unref();
  }

  #stopLate(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const [operation, end] of this.#ends) {
      if (end > now) continue;
      this.#ends.delete(operation);
      operation.stop('timeLimit');
    }
    const next = Math.min(...this.#ends.values());
    if (next < Number.POSITIVE_INFINITY) this.#wakeAt(next);
  }
}
