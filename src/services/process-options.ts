import type { ServerRole } from '../config/index.ts';
import type { Account } from '../processes/index.ts';

/** What a process is told when it is started; it travels as JSON in its first argument. */
export interface ProcessOptions {
  readonly state: string;
  readonly role: ServerRole;
  /** Number of this worker, from 0; unused by the directory process. */
  readonly index: number;
  /** How many workers there are: limits are shared out among them. */
  readonly workers: number;
  /** Account to become, when started by root. */
  readonly account?: Account;
}

/** What the supervisor told this process. Throws when it was started by hand. */
export function processOptions(args: readonly string[] = process.argv): ProcessOptions {
  const [, , text] = args;
  if (text === undefined) throw new Error('this process is started by `edge start`');
  return JSON.parse(text) as ProcessOptions;
}
