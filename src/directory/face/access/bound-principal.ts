/** Who a connection acts as, from bind to bind, with an eye on the time at which the account expires. */
import { anonymous, type Principal } from './identity.ts';

/** Longest delay that a timer of the runtime can hold, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

export class BoundPrincipal implements Disposable {
  readonly #expired: () => void;
  #principal: Principal = anonymous;
  #timer: NodeJS.Timeout | undefined;

  /** `expired` is called when the account's time is over, or the longest timer is: look again. */
  constructor(expired: () => void) {
    this.#expired = expired;
  }

  get principal(): Principal {
    return this.#principal;
  }

  set principal(principal: Principal) {
    clearTimeout(this.#timer);
    this.#principal = principal;
    if (principal.kind === 'anonymous' || principal.until === undefined) return;
    const leftMs = Math.max(principal.until - Date.now(), 0);
    this.#timer = setTimeout(this.#expired, Math.min(leftMs, longestTimerMs)).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
