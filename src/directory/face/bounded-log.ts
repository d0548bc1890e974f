/**
 * Bounds what a client can write into the service log: its texts are cut, and refusals of one source are told in full for the
 * first fifty of an hour, then counted. Else a guesser would wash the evidence of its own guesses out of the log.
 */
import { sourceOf } from './access/peer.ts';
import type { FaceEvent, FaceLog } from './face-event.ts';

/** Longest text of a client in one line, in characters. */
const maxTextLength = 256;
const toldInFull = 50;
const windowMs = 3_600_000;
/** Sources counted apart; beyond, all others count as one. */
const maxSources = 1000;

interface Window {
  readonly until: number;
  refusals: number;
}

export class BoundedLog {
  readonly #log: FaceLog;
  readonly #now: () => number;
  /** By source, those that began first in front. */
  readonly #windows = new Map<string, Window>();

  constructor(log: FaceLog, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  readonly tell: FaceLog = (event) => {
    this.#endWindows(this.#now());
    if ('address' in event && isRefusal(event) && this.#count(event.address) > toldInFull) return;
    this.#log(cut(event));
  };

  /** Says how many refusals were left out, also where the hour is not over. */
  flush(): void {
    this.#endWindows(Infinity);
  }

  #count(address: string): number {
    const wanted = sourceOf(address);
    const source = this.#windows.has(wanted) || this.#windows.size < maxSources ? wanted : 'others';
    const window = this.#windows.get(source) ?? { until: this.#now() + windowMs, refusals: 0 };
    window.refusals += 1;
    this.#windows.set(source, window);
    return window.refusals;
  }

  #endWindows(now: number): void {
    for (const [source, { until, refusals }] of this.#windows) {
      if (until > now) return;
      this.#windows.delete(source);
      if (refusals > toldInFull) this.#log({ kind: 'omitted', address: source, refusals: refusals - toldInFull });
    }
  }
}

const isRefusal = (event: FaceEvent): boolean =>
  event.kind === 'refused' || ((event.kind === 'bind' || event.kind === 'write') && event.code !== 0);

function cut(event: FaceEvent): FaceEvent {
  if (!Object.values(event).some(isLong)) return event;
  const entries = Object.entries(event).map(([name, value]: [string, unknown]) => [name, cutValue(value)]);
  return Object.fromEntries(entries) as FaceEvent;
}

const isLong = (value: unknown): boolean =>
  typeof value === 'string' ? value.length > maxTextLength : Array.isArray(value) && value.some(isLong);

function cutValue(value: unknown): unknown {
  if (typeof value === 'string') return value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value;
  return Array.isArray(value) ? value.map(cutValue) : value;
}
