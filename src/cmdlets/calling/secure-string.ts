import { inspect } from 'node:util';

/** A text that no output shows: a password. */
export class SecureString {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get length(): number {
    return this.#text.length;
  }

  /** The text in clear, for the cmdlet that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return 'System.Security.SecureString';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
