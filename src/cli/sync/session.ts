/** Opens EdgeSync on a state directory, and turns what goes wrong into words. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../base/index.ts';
import { printableJson } from '../../base/text/index.ts';
import { SecretBox } from '../../certificates/secrets/index.ts';
import { loadSchema } from '../../directory/store/index.ts';
import { EdgeSync, InsideState, SubscriptionFileError, SyncStateError } from '../../edge-sync/index.ts';
import { LdapError } from '../../ldap/index.ts';
import { becomeOwner, statePaths } from '../../processes/state/index.ts';
import { wordsOf } from '../directory-session.ts';
import { exitStatus, type Terminal } from '../parts.ts';
import type { SyncOptions } from './options.ts';

export interface OpenOptions<T = undefined> {
  /** Nobody else may work on the state meanwhile. Default: true. */
  readonly exclusive?: boolean;
  /** Reads the caller's files. */
  readonly given?: () => T;
}

/** Runs a command; resolves with the exit status. */
export async function onSync<T = undefined>(
  command: string,
  options: SyncOptions,
  terminal: Terminal,
  work: (edgeSync: EdgeSync, given: T) => Promise<number>,
  { exclusive = true, given }: OpenOptions<T> = {},
): Promise<number> {
  try {
    const read = given?.() as T;
    const schema = await loadSchema(fileURLToPath(new URL('../../../ldap/schema', import.meta.url)));
    // What the caller names was read before; from here on root is the account that owns the state.
    becomeOwner(statePaths(options.state).root);
    const state = new InsideState(join(options.state, 'edge-sync'));
    using _lock = exclusive ? state.lock() : undefined;
    const progress = (text: string): void => terminal.error(`${text}\n`);
    // On a Mailbox server the connectors of its own directory have logons that this machine sealed.
    const secrets = new SecretBox(join(options.state, 'certificates'));
    const unseal = (sealed: string, purpose: string): string => secrets.unseal(sealed, purpose);
    return await work(new EdgeSync({ state, schema, clock: systemClock, progress, unseal }), read);
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    const message = wordsOf(error as Error);
    if (options.json) terminal.out(`${printableJson({ error: message })}\n`);
    else terminal.error(`edge sync ${command}: ${message}\n`);
    return status;
  }
}

/** Exit status for an error that is the answer to a command; undefined for a bug. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof SubscriptionFileError) return exitStatus.finding;
  if (error instanceof SyncStateError || error instanceof LdapError) return exitStatus.failed;
  const { syscall, name } = error as NodeJS.ErrnoException;
  return name === 'PinMismatchError' || typeof syscall === 'string' ? exitStatus.failed : undefined;
}
