/**
 * How a process of the appliance is started: never as root, in a session of its own, with pipes instead of the terminal, a small
 * environment, and without a way to gain rights. util-linux's `setpriv` does it, so that no JavaScript of a child runs as root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Account } from './accounts/privileges.ts';
import { upwardDescriptor } from './bus/channels.ts';

/** How a process is started; the same each time it comes back. */
export interface ChildPlan {
  /** 'directory', 'worker 0', …: for people. */
  readonly name: string;
  readonly entry: string;
  readonly arguments: readonly string[];
  readonly nodeOptions: readonly string[];
  /** Account to run as; only root can name another than its own. */
  readonly account?: Account;
  /** Groups besides that of the account. */
  readonly groups?: readonly number[];
  /** Folder for compiled code, which the account may write. */
  readonly compileCache?: string;
}

/** Where util-linux puts it. */
const setprivPaths = ['/usr/bin/setpriv', '/bin/setpriv'];

/** Each thread would have a heap of its own to be left half empty, and keep the 19 MB of a password it once hashed. The 2 MB that LMDB takes for each transaction stay. */
const malloc = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: String(4 * 1024 ** 2),
  MALLOC_TRIM_THRESHOLD_: String(8 * 1024 ** 2),
};

/** What a process gets of its parent's environment. Nothing of it can name a program or a library to load. */
const passedOn = [
  'TZ',
  'LANG',
  'LC_ALL',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'LOCALDOMAIN',
  'RES_OPTIONS',
  ...Object.keys(malloc),
];

/** The environment of a process. */
export function childEnvironment(
  { compileCache }: Pick<ChildPlan, 'compileCache'>,
  parent: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = passedOn.filter((name) => parent[name] !== undefined).map((name) => [name, parent[name]] as const);
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    ...malloc,
    ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
    ...Object.fromEntries<string | undefined>(kept),
  };
}

/** Options of setpriv for a process of this account. Root drops everything; others can only promise to gain nothing. */
export function setprivOptions(
  { account, groups = [] }: Pick<ChildPlan, 'account' | 'groups'>,
  isRoot: boolean,
): string[] {
  const always = ['--no-new-privs', '--pdeathsig=KILL'];
  if (!isRoot || account === undefined || account.uid === 0) return always;
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`];
  const others = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
  return [...ids, others, '--bounding-set=-all', '--inh-caps=-all', ...always];
}

/** Starts a process. Throws Error when root has no setpriv: without it the process would begin as root. */
export function launch(plan: ChildPlan, stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  const isRoot = process.getuid?.() === 0;
  const program = [process.execPath, ...plan.nodeOptions, plan.entry, ...plan.arguments];
  const setpriv = setprivPaths.find((path) => existsSync(path));
  if (setpriv === undefined && isRoot) throw new Error('setpriv is not installed: install the package util-linux');
  const [file = '', ...args] = setpriv === undefined ? program : [setpriv, ...setprivOptions(plan, isRoot), ...program];
  const stdio: ('ignore' | 'pipe' | 'ipc')[] = [stdin, 'pipe', 'pipe', 'ipc'];
  stdio[upwardDescriptor] = 'pipe';
  return spawn(file, args, { detached: true, cwd: '/', env: childEnvironment(plan), serialization: 'json', stdio });
}
