/** What the scheduler keeps of each message: small, because there may be a million. Everything else is in the spool. */
import type { StoredMessage } from './contract.ts';

/** A message whose record, and perhaps content, is at hand. */
export interface HotMessage {
  /** With the newest recipient states, durable or not. */
  readonly message: StoredMessage;
  readonly content: Buffer | undefined;
}

/** One message. */
export class Mail {
  readonly id: number;
  /** Items and reports that are not done. When none is left, the message leaves the spool. */
  open = 0;
  /** Undefined: only in the spool. */
  hot: HotMessage | undefined;
  /** After it the pending recipients fail; queue time. */
  readonly expiresAt: number;

  constructor(id: number, expiresAt: number) {
    this.id = id;
    this.expiresAt = expiresAt;
    this.hot = undefined;
  }
}
