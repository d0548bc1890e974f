/** Opens the directory for one command, beside the running service or instead of it, and turns what goes wrong into words. */
import { existsSync } from 'node:fs';
import { fileFault, printableJson } from '../base/text/index.ts';
import { type DirectoryStore, StoreError } from '../directory/index.ts';
import { LdapError } from '../ldap/index.ts';
import { ManagementClient, NotRunningError } from '../management/client/index.ts';
import { ownAccountName } from '../processes/accounts/index.ts';
import {
  becomeOwner,
  lockHolder,
  lockStateFolder,
  StateError,
  StateLockedError,
  statePaths,
} from '../processes/state/index.ts';
import type { DirectoryOptions } from './directory-options.ts';
import { type DirectoryAccess, exitStatus, type Terminal } from './parts.ts';

export interface DirectoryParts {
  readonly access: DirectoryAccess;
  readonly terminal: Terminal;
  readonly readOnly: boolean;
}

/** DN under which commands write. */
export const commandActor = 'CN=Local Administrator';

/** Runs work on the opened directory; resolves with the exit status. */
export async function withStore(
  command: string,
  options: DirectoryOptions,
  parts: DirectoryParts,
  work: (store: DirectoryStore) => number | Promise<number>,
): Promise<number> {
  return telling(command, options, parts.terminal, () => onStore(options.state, parts, work));
}

/** Opens the directory for some work. For writing the state folder is locked meanwhile, unless the service holds it. */
export async function onStore(
  state: string,
  { access, readOnly }: Omit<DirectoryParts, 'terminal'>,
  work: (store: DirectoryStore) => number | Promise<number>,
): Promise<number> {
  const paths = statePaths(state);
  await access.ready();
  // What the caller names (files, backups) was opened before.
  becomeOwner(paths.root);
  if (!existsSync(paths.directory)) throw new StoreError('missing', `there is no directory in ${state}`);
  const running = lockHolder(paths) !== undefined;
  if (readOnly) {
    await using store = await access.open(state, { readOnly, checked: !running });
    return await work(store);
  }
  using _lock = running ? undefined : lockStateFolder(paths);
  await using store = await access.open(state, { readOnly, alongside: running });
  return await work(store);
}

/** Tells the service what a command wrote beside it; when there is none, nobody needs to know. */
export async function tellService(state: string, what: string): Promise<void> {
  try {
    using client = await ManagementClient.connect(statePaths(state));
    await client.call('directory-written', { what });
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
}

/** Runs a command; what it cannot do is said on standard error, or as JSON for programs. */
export async function telling(
  command: string,
  { json }: { readonly json: boolean },
  terminal: Terminal,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    const message = wordsOf(error as Error);
    if (json) terminal.out(`${printableJson({ error: message })}\n`);
    else terminal.error(`edge directory ${command}: ${message}\n`);
    return status;
  }
}

/** What went wrong, for a person: where the modes of files keep this account out, who it is and what helps. */
export function wordsOf(error: NodeJS.ErrnoException): string {
  if (error.code !== 'EACCES') return fileFault(error);
  return `the account ${ownAccountName()} may not open ${error.path ?? 'the state'}: run the command as root or as the account that owns it (root's commands on a state run as its owner: open the place to that account)`;
}

/** Exit status for an error that is the answer to a command; undefined for a bug. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof StoreError) return error.reason === 'damaged' ? exitStatus.finding : exitStatus.failed;
  if (error instanceof StateLockedError || error instanceof StateError) return exitStatus.failed;
  if (error instanceof LdapError) {
    return error.code === 'protocolError' || error.code === 'invalidDNSyntax' ? exitStatus.usage : exitStatus.finding;
  }
  return typeof (error as NodeJS.ErrnoException).syscall === 'string' ? exitStatus.failed : undefined;
}
