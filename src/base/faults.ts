import type { Clock } from './clock.ts';

/** A condition of this machine that refuses or delays mail, or that loses evidence. It lasts until it is said to be over. */
export interface Fault {
  /** What is at fault, always the same text for the same thing: 'spool disk', 'log MSGTRK', 'message 771'. */
  readonly key: string;
  /** For the administrator: what is wrong and what that does. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Where parts report local faults. Neither call throws, and both may be repeated: only changes are logged. */
export interface FaultReport {
  begin(key: string, text: string): void;
  end(key: string): void;
}

/** Writes to the service log; called once when a fault begins and once when it ends. */
export interface FaultLog {
  error(fields: object, text: string): void;
  info(fields: object, text: string): void;
}

/** Faults kept; what comes on top is counted. A spool of damaged messages must not fill the memory. */
const mostKept = 1_000;

/** The faults of one process that last now: lines of `edge status`, each with a line in the service log at begin and end. */
export class FaultList implements FaultReport {
  readonly #clock: Clock;
  readonly #log: FaultLog;
  readonly #faults = new Map<string, Fault>();
  #more = 0;

  constructor(clock: Clock, log: FaultLog) {
    this.#clock = clock;
    this.#log = log;
  }

  get current(): readonly Fault[] {
    const faults = [...this.#faults.values()];
    if (this.#more === 0) return faults;
    return [...faults, { key: 'faults', text: `${this.#more} more faults are in the service log`, since: 0 }];
  }

  begin(key: string, text: string): void {
    const known = this.#faults.get(key);
    if (known !== undefined) {
      this.#faults.set(key, { ...known, text });
      return;
    }
    if (this.#faults.size < mostKept) this.#faults.set(key, { key, text, since: this.#clock.now() });
    else this.#more += 1;
    this.#log.error({ fault: key }, `fault: ${text}`);
  }

  end(key: string): void {
    const fault = this.#faults.get(key);
    if (fault === undefined) return;
    this.#faults.delete(key);
    const seconds = Math.max(0, Math.round((this.#clock.now() - fault.since) / 1_000));
    this.#log.info({ fault: key, seconds }, `fault is over: ${fault.text}`);
  }
}

/** For parts that are built without a list: nothing is kept. */
export const unreported: FaultReport = { begin: () => {}, end: () => {} };
