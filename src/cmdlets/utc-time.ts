import { inspect } from 'node:util';

/**
 * The value of a property whose name ends in UTC. Dates of the shell carry no zone and are shown in that of the machine, so it becomes
 * a date where it is shown: the service may run in another zone than its caller.
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

  /** The date whose parts, in the zone of this process, are those of the time in UTC. */
  toDate(): Date {
    const at = this.#instant;
    const date = new Date(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours());
    date.setMinutes(at.getUTCMinutes(), at.getUTCSeconds(), at.getUTCMilliseconds());
    return date;
  }

  toString(): string {
    return this.#instant.toISOString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
