import { maybe, oneOf, record, text, whole } from '../base/index.ts';
import type { ServerRole } from '../config/index.ts';

/** What a process is told when it is started; it travels as JSON in its first argument. */
export interface ProcessOptions {
  readonly state: string;
  readonly role: ServerRole;
  /** Number of this worker, from 0; unused by the directory process. */
  readonly index: number;
  /** How many workers there are: limits are shared out among them. */
  readonly workers: number;
  /** Group whose members may administer. */
  readonly group?: number;
}

const shape = record<ProcessOptions>({
  state: text(),
  role: oneOf('EdgeTransport', 'Mailbox'),
  index: whole(),
  workers: whole(1),
  group: maybe(whole()),
});

/** What the supervisor told this process. Throws when it was started by hand. */
export function processOptions(args: readonly string[] = process.argv): ProcessOptions {
  const [, , argument] = args;
  if (argument === undefined) throw new Error('this process is started by `edge start`');
  return shape(JSON.parse(argument), 'options');
}
