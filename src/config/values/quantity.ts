import { formatByteSize, formatTimeSpan } from '../../base/index.ts';

/** A number with a unit as the shell holds it: compares as a number, prints as Exchange does. */
export class Quantity {
  readonly typeName: string;
  /** Bytes, seconds or a plain count; Infinity is 'Unlimited'. */
  readonly value: number;
  readonly #text: string;

  constructor(typeName: string, value: number, text: string) {
    this.typeName = typeName;
    this.value = value;
    this.#text = text;
  }

  /** `36 MB (37,748,736 bytes)`, or `Unlimited`. */
  static bytes(value: number): Quantity {
    return new Quantity('ByteQuantifiedSize', value, value === Infinity ? 'Unlimited' : formatByteSize(value));
  }

  /** `00:05:00`. */
  static seconds(value: number): Quantity {
    return new Quantity('EnhancedTimeSpan', value, formatTimeSpan(value));
  }

  /** A count that may be `Unlimited`. */
  static count(value: number): Quantity {
    return new Quantity('Unlimited', value, value === Infinity ? 'Unlimited' : String(value));
  }

  valueOf(): number {
    return this.value;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}
