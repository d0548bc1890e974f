import type { Resource, ResourceName } from './resources.ts';

/** How scarce a resource is. */
export type PressureLevel = 'Low' | 'Medium' | 'High';

/** From plenty to little. */
export const pressureLevels: readonly PressureLevel[] = ['Low', 'Medium', 'High'];

/** One resource as it stands. */
export interface MeterState {
  readonly resource: ResourceName;
  readonly level: PressureLevel;
  readonly previous: PressureLevel;
  /** In the unit of the resource: per cent, or messages. */
  readonly pressure: number;
  /** Exchange's text: `LowToMedium:72, MediumToHigh:75, HighToMedium:73, MediumToLow:71`. */
  readonly transitions: string;
}

/** Follows the readings of one resource. Each level is left at another reading than it is reached at, so that it does not flutter. */
export class ResourceMeter {
  readonly resource: Resource;
  #level: PressureLevel = 'Low';
  #previous: PressureLevel = 'Low';
  #pressure = 0;
  #raisedFor = 0;

  constructor(resource: Resource) {
    this.resource = resource;
  }

  get state(): MeterState {
    const { name, lowToMedium, mediumToHigh, highToMedium, mediumToLow } = this.resource;
    const transitions = `LowToMedium:${lowToMedium}, MediumToHigh:${mediumToHigh}, HighToMedium:${highToMedium}, MediumToLow:${mediumToLow}`;
    return { resource: name, level: this.#level, previous: this.#previous, pressure: this.#pressure, transitions };
  }

  get level(): PressureLevel {
    return this.#level;
  }

  /** Readings in a row at which the level was Medium or High. */
  get raisedFor(): number {
    return this.#raisedFor;
  }

  /** Takes a reading. True when the level changed. */
  take(pressure: number): boolean {
    const before = this.#level;
    this.#pressure = pressure;
    this.#level = this.#next(pressure);
    this.#raisedFor = this.#level === 'Low' ? 0 : this.#raisedFor + 1;
    if (this.#level === before) return false;
    this.#previous = before;
    return true;
  }

  #next(pressure: number): PressureLevel {
    const { lowToMedium, mediumToHigh, highToMedium, mediumToLow } = this.resource;
    if (pressure > mediumToHigh) return 'High';
    if (this.#level === 'High' && pressure >= highToMedium) return 'High';
    if (pressure > lowToMedium) return 'Medium';
    return this.#level !== 'Low' && pressure >= mediumToLow ? 'Medium' : 'Low';
  }
}
