/** PowerShell's error categories that this shell uses. */
export type ErrorCategory =
  | 'NotSpecified'
  | 'InvalidArgument'
  | 'InvalidData'
  | 'InvalidOperation'
  | 'InvalidResult'
  | 'InvalidType'
  | 'NotImplemented'
  | 'ObjectNotFound'
  | 'OperationStopped'
  | 'ParserError'
  | 'PermissionDenied'
  | 'ReadError'
  | 'ResourceUnavailable'
  | 'ResourceExists'
  | 'LimitsExceeded'
  | 'WriteError'
  | 'SyntaxError';

/** What an error record says about a failure beside its message. */
export interface ErrorDetails {
  /** Fully qualified error id without the cmdlet's name. */
  readonly id: string;
  readonly category: ErrorCategory;
  /** Name of PowerShell's exception; default RuntimeException. */
  readonly exception?: string;
  /** What the failure is about. */
  readonly target?: unknown;
  /** Stands before the message when no cmdlet wrote it: the name of a command as it was typed. */
  readonly subject?: string;
  /** The id stands alone, without the name of what wrote it. */
  readonly ownId?: boolean;
  readonly cause?: unknown;
}

/** A failure that ends a statement: of the language, of binding, of a built-in cmdlet. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
  readonly details: ErrorDetails;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.details = details;
  }
}
