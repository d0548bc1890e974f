/**
 * How a process of the appliance is started: never as root, in a session of its own, with pipes instead of the terminal, a small
 * environment, and without a way to gain rights. util-linux's `setpriv` does it, so that no JavaScript of a child runs as root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Account } from '../accounts/privileges.ts';
import { upwardDescriptor } from '../bus/channels.ts';
import { asAccount } from './setpriv.ts';

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
  // The passphrase of the private keys, for the process that opens them.
  'CREDENTIALS_DIRECTORY',
  'EDGE_KEY_PASSPHRASE',
  // The program that answers the challenges of ACME.
  'EDGE_ACME_HOOK',
  'LOCALDOMAIN',
  'RES_OPTIONS',
  ...Object.keys(malloc),
];

/** The environment of a process. */
function childEnvironment(
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

/** Starts a process. Throws Error when root has no setpriv: without it the process would begin as root. */
export function launch(plan: ChildPlan, stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  const command = [process.execPath, ...plan.nodeOptions, plan.entry, ...plan.arguments];
  const [file, args] = asAccount(plan.account, command, plan.groups);
  const stdio: ('ignore' | 'pipe' | 'ipc')[] = [stdin, 'pipe', 'pipe', 'ipc'];
  stdio[upwardDescriptor] = 'pipe';
  return spawn(file, args, { detached: true, cwd: '/', env: childEnvironment(plan), serialization: 'json', stdio });
}
