/** What -WhatIf, -Confirm and $ConfirmPreference make of an operation (about_CommonParameters, ShouldProcess). */
import type { Operation } from '../runtime.ts';

/** What the caller gave, by parameter or by preference variable. */
export interface ShouldProcessOptions {
  readonly whatIf: boolean;
  /** -Confirm, -Confirm:$false; undefined when it was not given. */
  readonly confirm: boolean | undefined;
  /** $ConfirmPreference: operations of this impact and above are asked for. */
  readonly confirmPreference: string;
}

/** `tell` shows the operation and leaves it; `ask` puts it to the person. */
export type ShouldProcess = 'do' | 'tell' | 'ask';

const impacts: readonly string[] = ['low', 'medium', 'high'];

/** Decides about one operation. A preference that names no impact asks for none, as `None` does. */
export function shouldProcess({ impact }: Pick<Operation, 'impact'>, options: ShouldProcessOptions): ShouldProcess {
  if (options.whatIf) return 'tell';
  if (options.confirm !== undefined) return options.confirm ? 'ask' : 'do';
  const from = impacts.indexOf(options.confirmPreference.toLowerCase());
  return from >= 0 && impacts.indexOf(impact.toLowerCase()) >= from ? 'ask' : 'do';
}

/** The sentence that -WhatIf and -Confirm show. */
export function operationText({ action, target }: Operation): string {
  return `${action} "${target}".`;
}
