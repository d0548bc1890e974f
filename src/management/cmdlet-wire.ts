/**
 * Cmdlets over the management endpoint. `cmdlet` runs one call: `CmdletCall` goes in, `CmdletPart`s come back as they are made,
 * `CmdletEnd` ends it. What a part asks (`ask`, `more`) is answered by `cmdlet-reply`. `server` names the server. Lines of the
 * language never come here: the caller's own process runs them, and decides by them which files it reads and writes.
 */
import type { Operation } from '../cmdlets/index.ts';

/** Objects that the service sends before it waits for `more`: what the caller does not read must not pile up anywhere. */
export const objectsAhead = 128;

export interface CmdletCall {
  readonly cmdlet: string;
  /** Name and value of each parameter, values as `toWire` gives them. */
  readonly parameters: readonly (readonly [name: string, value: unknown])[];
  /** What was typed, without secrets, for the admin audit log. */
  readonly line: string;
  /** The account that became root by sudo; believed from root alone. */
  readonly sudoer?: string;
}

export type CmdletPart =
  | { readonly kind: 'object'; readonly value: unknown }
  | { readonly kind: 'warning' | 'verbose'; readonly text: string }
  | { readonly kind: 'ask'; readonly token: string; readonly operation: Operation }
  | { readonly kind: 'more'; readonly token: string };

export interface CmdletEnd {
  /** Its refusal; absent when it did what was asked. */
  readonly failed?: {
    readonly id: string;
    readonly category: string;
    readonly message: string;
    readonly target: string;
  };
}

/** The answer to `ask` (do it or leave it) or to `more`. */
export interface CmdletReply {
  readonly token: string;
  readonly value?: boolean;
  /** Nobody gave an answer, and why. */
  readonly error?: string;
}
