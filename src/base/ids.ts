import { randomBytes, randomUUID } from 'node:crypto';

/** Makes session identifiers: 16 hexadecimal digits, as in Exchange's protocol logs, unique over processes and restarts. */
export class SessionIds {
  #prefix: string;
  #next = 0;

  constructor(prefix: Uint8Array = randomBytes(5)) {
    this.#prefix = Buffer.from(prefix).toString('hex').toUpperCase();
  }

  next(): string {
    this.#next = (this.#next + 1) % 0x1000000;
    return this.#prefix + this.#next.toString(16).toUpperCase().padStart(6, '0');
  }
}

/** A new random identifier in the form 8-4-4-4-12, for a message or a directory object. */
export function newGuid(): string {
  return randomUUID();
}
