import { accessSync, constants, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { refuseOddThings } from './odd-things.ts';
import { StateError } from './own-file.ts';

/** The folders below the state directory, each with one job. All are mode 0700, but for `prepareManagement`. */
export interface StatePaths {
  readonly root: string;
  readonly directory: string;
  readonly spool: string;
  readonly certificates: string;
  readonly logs: string;
  readonly run: string;
  /** The endpoint of the management shell. */
  readonly management: string;
  readonly mailboxes: string;
  /** EdgeSync: the key of the address hashes on an edge; settings, subscriptions and mirror inside. */
  readonly edgeSync: string;
  /** TLS reports (RFC 8460): counts of each day and worker, reports on their way and sent. */
  readonly tlsReports: string;
}

/** State directory of the appliance of this machine. */
const systemState = '/var/lib/edge';

/**
 * The state directory when none is named: EDGE_STATE, else /var/lib/edge for root. For others ~/.local/state/edge; but who only
 * wants to use an appliance, and has none of their own, gets that of the machine where there is one.
 */
export function defaultStateFolder(
  purpose: 'run' | 'use',
  environment: NodeJS.ProcessEnv = process.env,
  { system, isRoot } = { system: systemState, isRoot: process.getuid?.() === 0 },
): string {
  if (environment['EDGE_STATE']) return resolve(environment['EDGE_STATE']);
  const home = homeFolder(environment);
  if (isRoot || home === undefined) return system;
  const own = join(home, '.local/state/edge');
  return purpose === 'use' && !existsSync(own) && existsSync(system) ? system : own;
}

/** Undefined for an account that the system does not list, as in containers. */
function homeFolder(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment['HOME']) return environment['HOME'];
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** Where things lie below a state directory. Touches nothing. */
export function statePaths(root: string): StatePaths {
  const below = (name: string): string => join(root, name);
  return {
    root,
    directory: below('directory'),
    spool: below('spool'),
    certificates: below('certificates'),
    logs: below('logs'),
    run: below('run'),
    management: below('management'),
    mailboxes: below('mailboxes'),
    edgeSync: below('edge-sync'),
    tlsReports: below('tls-reports'),
  };
}

/** Whether this account may list a folder, and with `write` change it; one that is not there counts. */
export function mayUse(folder: string, purpose: 'read' | 'write'): boolean {
  try {
    accessSync(folder, constants.R_OK | (purpose === 'write' ? constants.W_OK : constants.X_OK));
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/**
 * Makes the state directory and its folders, mode 0700, as this account. Throws StateError for one that is a link or no folder,
 * that belongs to another account or that others may write in, and for odd things in them.
 */
export function prepareStateFolder(paths: StatePaths): void {
  mkdirSync(dirname(paths.root), { recursive: true });
  for (const path of Object.values(paths) as string[]) {
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before === undefined) mkdirSync(path, { recursive: true, mode: 0o700 });
    const stat = before ?? lstatSync(path);
    if (!stat.isDirectory()) throw new StateError(`${path} is no folder: remove it`);
    if (stat.uid !== process.getuid?.())
      throw new StateError(`${path} belongs to the account ${stat.uid}: run the command as that account`);
    if ((stat.mode & 0o022) !== 0) throw new StateError(`others may write in ${path}: chmod go-w ${path}`);
  }
  // Not the mailboxes: there are many, and what writes there looks for itself.
  const { directory, spool, certificates, run, management, logs } = paths;
  refuseOddThings([directory, spool, certificates, run, management], logs);
}
