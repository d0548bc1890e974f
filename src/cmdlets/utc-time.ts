import { inspect } from 'node:util';

/**
 * The value of a property whose name ends in UTC: the shell makes of it a date of the kind Utc, whatever zones the service and its
 * caller run in.
 */
export class UtcTime {
  readonly #instant: Date;

  constructor(instant: Date) {
    this.#instant = instant;
  }

  /** Milliseconds since 1970. */
  getTime(): number {
    return this.#instant.getTime();
  }

  toString(): string {
    return this.#instant.toISOString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
