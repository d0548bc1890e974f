import { accessSync, chownSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

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

/** Makes the state directory and its folders, mode 0700, owned by the account of the service. */
export function prepareStateFolder(paths: StatePaths, owner?: { uid: number; gid: number }): void {
  // What lies above is not ours alone: the account of the services must be able to pass.
  mkdirSync(dirname(paths.root), { recursive: true });
  for (const path of Object.values(paths) as string[]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
  }
}

/** Somebody else runs on the state directory. */
export class StateLockedError extends Error {
  override readonly name = 'StateLockedError';
}

/** Takes the state directory for this process until it ends or releases it. Throws StateLockedError when it is taken. */
export function lockStateFolder(paths: StatePaths): Disposable {
  const path = join(paths.root, 'edge.lock');
  const mine = `${process.pid} ${processStart(process.pid)}\n`;
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 3) throw error;
    }
    const holder = lockHolder(paths);
    if (holder !== undefined) throw new StateLockedError(`${paths.root} is in use by process ${holder}`);
    // Its holder died without releasing it.
    rmSync(path, { force: true });
  }
}

/** The process that holds the state directory now, if it lives. */
export function lockHolder(paths: StatePaths): number | undefined {
  const path = join(paths.root, 'edge.lock');
  if (!existsSync(path)) return undefined;
  const [pid = '', start = ''] = readFileSync(path, 'utf8').trim().split(' ');
  return processStart(Number(pid)) === start && start !== '' ? Number(pid) : undefined;
}

/** When a process began (clock ticks since boot), so that a pid used again is not mistaken; '' when there is none. */
export function processStart(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
