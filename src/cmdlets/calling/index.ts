/**
 * The door of who calls cmdlets that run in another process: what a cmdlet is, its values as JSON, what -WhatIf and -Confirm make
 * of an operation, which output becomes a file. It loads no cmdlet and no property table.
 */
export {
  type CmdletDescription,
  type CmdletDescriptions,
  CmdletError,
  CmdletObject,
  type DefaultView,
  type ErrorCategory,
  type Operation,
  type Parameter,
} from '../runtime.ts';
export { UtcTime } from '../utc-time.ts';
export type { CmdletHost, CmdletRequest, CmdletRunner } from './cmdlet-call.ts';
export { savedContent } from './saved-content.ts';
export { SecureString } from './secure-string.ts';
export { operationText, shouldProcess } from './should-process.ts';
export { refuseUnbuilt } from './unbuilt.ts';
export { fromWire, toWire } from './wire-values.ts';
