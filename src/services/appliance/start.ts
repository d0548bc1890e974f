/** `edge start`: makes the state ready, gives root up for everything but the supervisor, and runs until it is told to stop. */

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printableLines } from '../../base/index.ts';
import { exitStatus, type StartOptions } from '../../cli/index.ts';
import { toWorkers } from '../../management/workers/index.ts';
import {
  type Account,
  administrators,
  barrier,
  type ChildPlan,
  claimState,
  endOrphans,
  type Group,
  lockFile,
  lockStateFolder,
  notifySystemd,
  prepareStateFolder,
  recordProcesses,
  StateError,
  StateLockedError,
  type StatePaths,
  Supervisor,
  serviceAccount,
  statePaths,
  supervisorFolder,
} from '../../processes/index.ts';
import type { ProcessOptions } from '../process-options.ts';
import { allowedPorts } from './allowed-ports.ts';

const say = (text: string): void => void process.stderr.write(`edge: ${printableLines(text)}\n`);

/** `edge start`: runs until SIGTERM or SIGINT; resolves with the exit status. */
export async function start(given: StartOptions): Promise<number> {
  // The processes have another working directory.
  const options = { ...given, state: resolve(given.state) };
  try {
    return await startOn(options, statePaths(options.state));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    say(error.message);
    return exitStatus.failed;
  }
}

/** A start that cannot be, and what to do about it. */
class StartError extends Error {
  override readonly name = 'StartError';
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof StartError ||
    error instanceof StateError ||
    error instanceof StateLockedError ||
    error instanceof RangeError
  );
}

async function startOn(options: StartOptions, paths: StatePaths): Promise<number> {
  const isRoot = process.getuid?.() === 0;
  // Root takes its own lock; the state's is taken by the account that owns it.
  if (!isRoot) prepareStateFolder(paths);
  const folder = supervisorFolder(paths);
  using _lock = isRoot ? lockFile(join(folder, 'lock'), paths.root) : lockStateFolder(paths);
  const group = await administratorsOf(options.adminGroup, paths);
  const account = isRoot ? serviceAccount(options.user) : undefined;
  if (account !== undefined) {
    if (account.name === 'nobody')
      say("the account 'nobody' is shared with other programs; better: an account of its own");
    const barred = barrierFor(account, paths);
    if (barred !== undefined) throw new StartError(barred);
    claimState(paths.root, account);
  }
  await endOrphans(folder);
  // Awaited here: the lock is held as long as the service runs.
  return await supervise(options, { account, group, folder });
}

/** Folder of the program. */
const program = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

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

/** The group whose members may use the management endpoint. Throws StartError when this account cannot let it in. */
async function administratorsOf(named: string | undefined, paths: StatePaths): Promise<Group | undefined> {
  const group = await administrators(named);
  if (group === undefined) return undefined;
  // Only root gives files to a group that it is not in.
  if (
    process.getuid?.() !== 0 &&
    process.getgid?.() !== group.gid &&
    process.getgroups?.().includes(group.gid) !== true
  ) {
    if (named === undefined) return undefined;
    throw new StartError(`you are no member of the group '${group.name}': name one of yours, or start as root`);
  }
  const onTheWay = barrier(dirname(paths.root), { name: '', uid: -1, gid: group.gid });
  if (onTheWay === undefined) say(`members of the group '${group.name}' may administer`);
  else say(`members of the group '${group.name}' may not enter ${onTheWay}: they cannot administer`);
  return group;
}

/** What the processes are started with, besides the options. */
interface Ground {
  /** Account to run as, when root starts. */
  readonly account: Account | undefined;
  readonly group: Group | undefined;
  /** The supervisor's own folder. */
  readonly folder: string;
}

async function supervise(options: StartOptions, ground: Ground): Promise<number> {
  const stopped = stopSignal();
  const supervisor = new Supervisor({
    ...plansOf(options, ground),
    log: { info: say, warn: say },
    relayed: Object.keys(toWorkers),
    mayBind: allowedPorts(options.allowPort),
    onProcesses: (pids) => recordProcesses(ground.folder, pids),
  });
  process.on('SIGHUP', () => {
    say('logs are opened anew');
    supervisor.reopenLogs();
  });
  try {
    const bindings = await Promise.race([supervisor.start(), stopped.then(() => undefined)]);
    if (bindings !== undefined) tellReady(options, bindings);
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

function tellReady({ role }: StartOptions, bindings: Awaited<ReturnType<Supervisor['start']>>): void {
  const listening = bindings.filter(({ fault }) => fault === '').map(({ binding }) => binding);
  const text = `${role} is ready, smtp on ${listening.join(', ') || 'no address'}`;
  say(text);
  notifySystemd('ready', text);
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

function plansOf(options: StartOptions, { account, group }: Ground): { directory: ChildPlan; workers: ChildPlan[] } {
  const { state, role, workers } = options;
  const plan = (name: string, entry: string, index: number, nodeOptions: readonly string[]): ChildPlan => {
    const told: ProcessOptions = { state, role, index, workers, ...(group === undefined ? {} : { group: group.gid }) };
    return {
      name,
      entry: fileURLToPath(new URL(`../../bin/${entry}`, import.meta.url)),
      arguments: [JSON.stringify(told)],
      nodeOptions: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
      ...(account === undefined ? {} : { account }),
      ...compileCache(state, account),
      // It gives the endpoint to the group; workers have nothing to do with it.
      ...(group !== undefined && entry === 'directory.ts' ? { groups: [group.gid] } : {}),
    };
  };
  return {
    directory: plan('directory', 'directory.ts', 0, nodeOptions),
    workers: Array.from({ length: workers }, (_, i) => plan(`worker ${i}`, 'transport.ts', i, nodeOptions)),
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
 * idle sessions never give back. Measured: with 4 MB for workers a message that waits for disk and peer outlives two collections,
 * is taken for old, and the whole heap is gone through for such; that is 7 % of the time for mail. With 2 MB for the directory the
 * 240 writes of EdgeSync that wait for one commit do the same, for 12 % of the time.
 */
const semiSpaceMb = 8;
const nodeOptions = ['--expose-gc', `--max-semi-space-size=${semiSpaceMb}`];
