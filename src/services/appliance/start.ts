/** `edge start`: makes the state ready, gives root up for everything but the supervisor, and runs until it is told to stop. */

import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { exitStatus, type StartOptions } from '../../cli/index.ts';
import { prepareManagement } from '../../management/index.ts';
import { toWorkers } from '../../management/workers/index.ts';
import {
  type Account,
  administrators,
  barrier,
  type ChildPlan,
  endOrphans,
  type Group,
  lockStateFolder,
  notifySystemd,
  prepareStateFolder,
  recordProcesses,
  StateLockedError,
  type StatePaths,
  Supervisor,
  serviceAccount,
  statePaths,
} from '../../processes/index.ts';
import type { ProcessOptions } from '../process-options.ts';

const say = (text: string): void => void process.stderr.write(`edge: ${text}\n`);

/** `edge start`: runs until SIGTERM or SIGINT; resolves with the exit status. */
export async function start(given: StartOptions): Promise<number> {
  // The processes have another working directory.
  const options = { ...given, state: resolve(given.state) };
  const paths = statePaths(options.state);
  const account = process.getuid?.() === 0 ? serviceAccount(options.user) : undefined;
  if (account?.name === 'nobody' && options.user === undefined) {
    say("there is no account 'edge', so the services run as 'nobody'; better: useradd --system edge");
  }
  const barred = account === undefined ? undefined : barrierFor(account, paths);
  if (barred !== undefined) {
    say(barred);
    return exitStatus.failed;
  }
  prepareStateFolder(paths);
  let lock: Disposable;
  try {
    lock = lockStateFolder(paths);
  } catch (error) {
    if (!(error instanceof StateLockedError)) throw error;
    say(error.message);
    return exitStatus.failed;
  }
  using _lock = lock;
  await endOrphans(paths);
  // Only now: another service's folders are not ours to give away.
  prepareStateFolder(paths, account);
  if (account !== undefined) handOver(paths, account);
  const refused = await letAdministratorsIn(paths, account ?? thisAccount(), options.adminGroup);
  if (refused !== undefined) {
    say(refused);
    return exitStatus.failed;
  }
  // Awaited here: the lock is held as long as the service runs.
  return await supervise(options, account);
}

/** Folder of the program. */
const program = new URL('../../..', import.meta.url).pathname.replace(/\/$/, '');

/** Why the services could not run as this account, and what to do. */
function barrierFor(account: Account, paths: StatePaths): string | undefined {
  const toProgram = barrier(program, account);
  if (toProgram !== undefined)
    return `the services run as '${account.name}', who may not enter ${toProgram}: put the program elsewhere (/opt/edge), or name another account with --user`;
  // The state directory itself is given to the account.
  const toState = barrier(dirname(paths.root), account);
  return toState === undefined
    ? undefined
    : `the services run as '${account.name}', who may not enter ${toState}: choose another --state, or name another account with --user`;
}

/** The account of this process. */
const thisAccount = (): Account => ({ name: '', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });

/** Opens the way to the management endpoint for those who may use it; resolves with the reason why that cannot be done. */
async function letAdministratorsIn(
  paths: StatePaths,
  owner: Account,
  named: string | undefined,
): Promise<string | undefined> {
  let group: Group | undefined;
  try {
    group = await administrators(named);
    prepareManagement(paths, owner, group?.gid);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    if ((error as NodeJS.ErrnoException).code !== 'EPERM' || group === undefined) throw error;
    // Only root gives files to a group that it is not in.
    if (named !== undefined)
      return `you are no member of the group '${group.name}': name one of yours, or start as root`;
    prepareManagement(paths, owner);
    return undefined;
  }
  const onTheWay =
    group === undefined ? undefined : barrier(dirname(paths.root), { name: '', uid: -1, gid: group.gid });
  if (onTheWay !== undefined)
    say(`members of the group '${group?.name}' may not enter ${onTheWay}: they cannot administer`);
  else if (group !== undefined) say(`members of the group '${group.name}' may administer`);
  return undefined;
}

async function supervise(options: StartOptions, account: Account | undefined): Promise<number> {
  const stopped = stopSignal();
  const supervisor = new Supervisor({
    ...plansOf(options, account),
    log: { info: say, warn: say },
    relayed: Object.keys(toWorkers),
    mayBind: () => true,
    onProcesses: (pids) => recordProcesses(statePaths(options.state), pids),
  });
  process.on('SIGHUP', () => {
    say('logs are opened anew');
    supervisor.reopenLogs();
  });
  try {
    const bindings = await Promise.race([supervisor.start(), stopped.then(() => [])]);
    const listening = bindings.filter(({ fault }) => fault === '').map(({ binding }) => binding);
    const text = `${options.role} is ready, smtp on ${listening.join(', ') || 'no address'}`;
    say(text);
    notifySystemd('ready', text);
    await stopped;
  } catch (error) {
    say(`could not start: ${(error as Error).message}`);
    await supervisor.stop();
    return exitStatus.failed;
  }
  say('stopping: sessions that transfer a message may finish');
  notifySystemd('stopping', 'stopping');
  await supervisor.stop();
  say('stopped');
  return exitStatus.done;
}

/** Resolves at the first signal to stop; the second one ends the supervisor at once, and with it everything. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(exitStatus.failed);
      asked = true;
      resolve();
    });
  }
  return promise;
}

function plansOf(options: StartOptions, account: Account | undefined): { directory: ChildPlan; workers: ChildPlan[] } {
  const { state, role, workers } = options;
  const plan = (name: string, entry: string, index: number, nodeOptions: readonly string[]): ChildPlan => {
    const told: ProcessOptions = { state, role, index, workers };
    return {
      name,
      entry: new URL(`../../bin/${entry}`, import.meta.url).pathname,
      arguments: [JSON.stringify(told)],
      nodeOptions: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
      ...(account === undefined ? {} : { account }),
      ...compileCache(state, account),
    };
  };
  return {
    directory: plan('directory', 'directory.ts', 0, nodeOptions(2)),
    workers: Array.from({ length: workers }, (_, i) =>
      plan(`worker ${i}`, 'transport.ts', i, nodeOptions(semiSpaceMb)),
    ),
  };
}

/** Compiled code of another account than ours lies with its state: it may not write beside the program. */
function compileCache(state: string, account: Account | undefined): { compileCache?: string } {
  const ours = process.env['NODE_COMPILE_CACHE'];
  if (account !== undefined && account.uid !== 0) return { compileCache: join(state, 'cache') };
  return ours === undefined ? {} : { compileCache: ours };
}

/**
 * The young generation of the heap, in megabytes for each half: by default it takes up to 48 MB in each process, which
 * idle sessions never give back. Measured: below 4 MB for workers the rate of mail falls.
 */
const semiSpaceMb = 4;
const nodeOptions = (semiSpace: number): string[] => ['--expose-gc', `--max-semi-space-size=${semiSpace}`];

/** Gives everything below the state directory to the account of the services: root may have made it (edge shell). */
function handOver(paths: StatePaths, account: Account): void {
  const walk = (path: string): void => {
    const stat = lstatSync(path);
    if (stat.uid !== account.uid) chownSync(path, account.uid, account.gid);
    if (stat.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name));
  };
  for (const path of [paths.directory, paths.certificates, paths.logs, paths.run]) walk(path);
  // The spool and the mailboxes are made by the services themselves and may be huge: only their roots are looked at.
  for (const path of [paths.spool, paths.mailboxes]) if (lstatSync(path).uid !== account.uid) walk(path);
}
