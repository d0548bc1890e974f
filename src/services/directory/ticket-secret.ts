/** The secret that session tickets of all workers are sealed with: RFC 5077 §5.5 wants it random, shared and changed. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/index.ts';

/** A ticket taken from a client's memory opens nothing older than this; in milliseconds. */
const everyMs = 6 * 60 * 60_000;

/** Makes a new secret at once and every 6 hours. It lies in memory alone, so that no disk gives away past sessions. */
export class TicketSecret implements Disposable {
  readonly #clock: Clock;
  readonly #tell: (secret: string) => void;
  #timer: { cancel(): void } | undefined;

  /** `tell` gets it in base64. */
  constructor(clock: Clock, tell: (secret: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#renew();
  }

  #renew(): void {
    this.#tell(randomBytes(48).toString('base64'));
    this.#timer = this.#clock.after(everyMs, () => this.#renew());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }
}
