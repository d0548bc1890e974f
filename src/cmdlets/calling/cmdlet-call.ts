/** A call of a cmdlet, whoever calls and wherever it runs. */
import type { BoundParameters, CmdletObject, Operation } from '../runtime.ts';

/** One call of a cmdlet. */
export interface CmdletRequest {
  /** In any case. */
  readonly cmdlet: string;
  /** Values by the names of parameters. -WhatIf and -Confirm are the caller's (`should-process.ts`) and do not stand here. */
  readonly parameters: BoundParameters;
  /** What was typed, without the secrets in it, for the admin audit log; '' for calls that nobody typed. */
  readonly line: string;
}

/** The caller, as a running cmdlet reaches it. */
export interface CmdletHost {
  warning(text: string): void;
  verbose(text: string): void;
  /** False when the operation is not to be done. */
  shouldProcess(operation: Operation): Promise<boolean>;
  /** Ends the cmdlet. */
  readonly signal: AbortSignal;
}

/** Runs cmdlets, in this process or in another one. */
export interface CmdletRunner {
  /** The objects that it gives. Throws CmdletError; any other Error is a fault of the program. */
  run(request: CmdletRequest, host: CmdletHost): AsyncIterable<CmdletObject>;
}
