import type { Clock, FaultReport } from '../base/index.ts';
import { type MeterState, type PressureLevel, pressureLevels, ResourceMeter } from './resource-meter.ts';
import { type Readings, resourcesOf } from './resources.ts';

/** Who wants to hand a message over. Servers of the organization are served longest. */
export type Peer = 'exchange' | 'other' | 'pickup';

/** What becomes of a message now. */
export type Verdict =
  | { readonly kind: 'take' }
  /** Taken, but so many seconds later. */
  | { readonly kind: 'slow'; readonly seconds: number; readonly resource: string }
  | { readonly kind: 'refuse'; readonly level: PressureLevel; readonly resource: string };

export interface BackPressureParts {
  readonly clock: Clock;
  readonly faults: FaultReport;
  /** Octets of the disks, for their thresholds. */
  readonly disks: { readonly spool: number; readonly logs: number };
  read(): Readings;
}

/** How often it looks, in milliseconds. */
const pollMs = 2_000;
/** While the queue is too long, peers wait at first so many seconds, more with every 30 readings, and are refused behind 300. */
const firstDelay = 10;
const moreDelay = 5;
const readingsForMore = 30;
const readingsUntilRefusal = 300;

/** The level of every resource, and what follows from it. */
export class BackPressure implements Disposable {
  readonly #parts: BackPressureParts;
  readonly #meters: readonly ResourceMeter[];
  #timer: { cancel(): void } | undefined;

  constructor(parts: BackPressureParts) {
    this.#parts = parts;
    this.#meters = resourcesOf(parts.disks).map((resource) => new ResourceMeter(resource));
  }

  /** Looks now, and from now on every two seconds. */
  start(): void {
    this.look();
    this.#timer = this.#parts.clock.after(pollMs, () => this.start());
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  look(): void {
    const readings = this.#parts.read();
    for (const meter of this.#meters) {
      if (meter.take(readings[meter.resource.name])) this.#tell(meter);
    }
  }

  get state(): readonly MeterState[] {
    return this.#meters.map(({ state }) => state);
  }

  /** The highest level of a resource that matters to mail. */
  get level(): PressureLevel {
    const raised = this.#meters.filter(({ resource }) => resource.effect !== 'none');
    const highest = Math.max(...raised.map(({ level }) => pressureLevels.indexOf(level)));
    return pressureLevels[highest] ?? 'Low';
  }

  /** Medium refuses all but servers of the organization, High refuses everybody. */
  verdict(peer: Peer): Verdict {
    let slow: Verdict = { kind: 'take' };
    for (const { resource, level, raisedFor } of this.#meters) {
      if (level === 'Low' || resource.effect === 'none') continue;
      if (level === 'Medium' && peer === 'exchange') continue;
      const { name } = resource;
      const refused = level === 'High' || resource.effect === 'refuse' || raisedFor > readingsUntilRefusal;
      if (refused) return { kind: 'refuse', level, resource: name };
      slow = {
        kind: 'slow',
        seconds: firstDelay + moreDelay * Math.floor((raisedFor - 1) / readingsForMore),
        resource: name,
      };
    }
    return slow;
  }

  /** A line of the service log and of `edge status`: Exchange's events 15004 and 15005. */
  #tell({ state: { resource, level, pressure, transitions }, resource: { effect } }: ResourceMeter): void {
    const key = `back pressure ${resource}`;
    if (level === 'Low') return this.#parts.faults.end(key);
    const consequence = {
      refuse:
        level === 'High'
          ? 'all mail is refused (452 4.3.1)'
          : 'only servers of the organization are served, others get 452 4.3.1',
      slow: level === 'High' ? 'all mail is refused (452 4.3.1)' : 'mail is slowed down, then refused (452 4.3.1)',
      none: 'nothing is refused for it',
    }[effect];
    this.#parts.faults.begin(
      key,
      `back pressure: ${resource} is ${level} at ${Math.round(pressure * 10) / 10} (${transitions}): ${consequence}`,
    );
  }
}
