import type { Clock } from '../../base/index.ts';

/** Recipients of one session that are refused at once: honest senders have some dead addresses on their lists. */
const toleratedRefusals = 10;
/** Recipients that may be refused before the session ends. */
const mostRefusals = 100;

/**
 * Slows down and at last ends a session whose recipients are refused: it guesses addresses, or tries to relay. Nothing more is
 * read from the client meanwhile. Authenticated sessions are not slowed down, as in Exchange.
 */
export class Tarpit {
  readonly #clock: Clock;
  #refusals = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One more was refused. Answer when the promise settles; 'over': the session is to end. `interval`: seconds. */
  refused(interval: number, anonymous: boolean): void | Promise<void> | 'over' {
    if (++this.#refusals > mostRefusals) return 'over';
    return anonymous && this.#refusals > toleratedRefusals ? this.wait(interval) : undefined;
  }

  /** A pause of so many seconds. */
  wait(interval: number): void | Promise<void> {
    if (interval === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(interval * 1000, resolve);
    this.#cancel = () => {
      timer.cancel();
      resolve();
    };
    return promise;
  }

  /** The session is over: nobody waits any more. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
