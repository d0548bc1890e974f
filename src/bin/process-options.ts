import type { ProcessOptions } from '../main.ts';

/** What the supervisor told this process. Throws when it was started by hand. */
export function processOptions(args: readonly string[] = process.argv): ProcessOptions {
  const [, , text] = args;
  if (text === undefined) throw new Error('this process is started by `edge start`');
  return JSON.parse(text) as ProcessOptions;
}
