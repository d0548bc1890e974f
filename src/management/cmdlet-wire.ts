/**
 * Cmdlets over the management endpoint. `cmdlet` runs one call: `CmdletCall` goes in, `CmdletPart`s come back as they are made,
 * `CmdletEnd` ends it. What a part asks (`ask`, `more`) is answered by `cmdlet-reply`. `server` names the server, `cmdlets`
 * describes what there is to call. Lines of the
 * language never come here: the caller's own process runs them, and decides by them which files it reads and writes.
 */
import type { CmdletDescription, DefaultView, Operation, Parameter } from '../cmdlets/calling/index.ts';

/** Objects that the service sends before it waits for `more`: what the caller does not read must not pile up anywhere. */
export const objectsAhead = 128;

/** A parameter without what this process alone can do: `checked` stands for a check of its values. */
export type ParameterOverWire = Omit<Parameter, 'check' | 'ready'> & { readonly checked?: boolean };

/** The answer to `cmdlets`. */
export interface DescribedCmdlets {
  readonly cmdlets: readonly (Omit<CmdletDescription, 'parameters'> & {
    readonly parameters: readonly ParameterOverWire[];
  })[];
  readonly views: readonly (readonly [typeName: string, view: DefaultView])[];
}

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
