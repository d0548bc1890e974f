import type { Extent } from './position.ts';

/** A text that is not a sentence of the language, or one that is left out on purpose. */
export class ShellSyntaxError extends Error {
  override readonly name = 'ShellSyntaxError';
  /** PowerShell's error id, such as `MissingEndParenthesisInExpression`. */
  readonly id: string;
  readonly extent: Extent;
  /** The text ended too early: further lines may complete it. */
  readonly incomplete: boolean;

  constructor(id: string, message: string, extent: Extent, incomplete = false) {
    super(message);
    this.id = id;
    this.extent = extent;
    this.incomplete = incomplete;
  }
}
