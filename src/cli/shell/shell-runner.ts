/**
 * Where `edge shell` runs its lines: here, with the caller's rights. What they ask of cmdlets is done by the service, or, when
 * none runs, by a process that has the store open.
 */

import { access, appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { fileReason } from '../../base/text/index.ts';
import { ManagementClient, type MethodCaller, NotRunningError } from '../../management/client/index.ts';
import { mayUse, type StatePaths, statePaths } from '../../processes/state/index.ts';
import type { Completion, FileAccess, RunOptions, ShellEndpoint, ShellOutput } from '../../shell/caller/index.ts';

/** What a shell is on: the server's name, and whether its service runs. */
export interface Place {
  readonly serverName: string;
  readonly running: boolean;
}

/** A session, and where it is. */
export interface Runner extends ShellEndpoint, AsyncDisposable {
  readonly place: Place;
  /** Loads what the first line needs, while the person reads the prompt. */
  prepare(): Promise<void>;
  /** Gives the session up, because its line does not stop; the next line has a new one. */
  abandon(): void;
}

/** Files with the rights of whoever called the command. */
const callersFiles: FileAccess = {
  read: (path) => inWords(path, () => readFile(path)),
  write: (path, content, append, { ownerOnly } = { ownerOnly: false }) =>
    inWords(path, async () => {
      if (append) return appendFile(path, content);
      if (!ownerOnly) return writeFile(path, content);
      // A file that others may have opened already is not written into.
      await rm(path, { force: true });
      await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    }),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

/** What the system refuses keeps its code: for some of them PowerShell has words of its own. */
async function inWords<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw Object.assign(new Error(`'${path}': ${fileReason(cause)}`, { cause }), { code: cause.code });
  }
}

/** Opens a session. Throws Error when the state is in use by something that does not answer, and for a stranger. */
export async function openRunner(options: {
  readonly state: string;
  readonly role: 'EdgeTransport' | 'Mailbox';
  /** A line waits already: the language is loaded while the process of the store starts. */
  readonly atOnce: boolean;
}): Promise<Runner> {
  const paths: StatePaths = statePaths(options.state);
  try {
    const client = await ManagementClient.connect(paths);
    return await CallersShell.open(new ServiceConnection(paths, client), true);
  } catch (error) {
    // Whoever may not reach the endpoint may not open the store beside it either.
    if (!(error instanceof NotRunningError)) throw error;
    // Members of the group that administers only pass through the state directory.
    if (!mayUse(paths.root, 'write')) {
      throw new Error(
        `the service of ${paths.root} does not run: only root and the account that owns it may administer it now`,
        { cause: error },
      );
    }
    const { StoreProcess } = await import('../../management/store/index.ts');
    const opening = StoreProcess.open({ state: options.state, role: options.role });
    // What cannot be loaded is said when the line runs.
    if (options.atOnce) void loadLanguage().catch(() => undefined);
    const store = await opening;
    return await CallersShell.open(
      { now: () => Promise.resolve(store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() },
      false,
    );
  }
}

const loadLanguage = () => import('./open-shell.ts');

/** Where cmdlets run. */
interface Connection extends AsyncDisposable {
  /** Throws NotRunningError. */
  now(): Promise<MethodCaller>;
}

/** The running service, also after it was started anew. */
class ServiceConnection implements Connection {
  readonly #paths: StatePaths;
  #client: ManagementClient;

  constructor(paths: StatePaths, client: ManagementClient) {
    this.#paths = paths;
    this.#client = client;
  }

  async now(): Promise<MethodCaller> {
    if (this.#client.isClosed) this.#client = await ManagementClient.connect(this.#paths);
    return this.#client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
  }
}

/** The language in this process. It is loaded behind the first drawing of a prompt, or by the first line. */
class CallersShell implements Runner {
  readonly place: Place;
  readonly #connection: Connection;
  #shell: Promise<ShellEndpoint> | undefined;

  private constructor(connection: Connection, place: Place) {
    this.#connection = connection;
    this.place = place;
  }

  static async open(connection: Connection, running: boolean): Promise<CallersShell> {
    const caller = await connection.now();
    const { serverName } = (await caller.call('server', null)) as { serverName: string };
    return new CallersShell(connection, { serverName, running });
  }

  async prepare(): Promise<void> {
    await this.#opened();
  }

  abandon(): void {
    this.#shell = undefined;
  }

  async *run(text: string, options: RunOptions): AsyncGenerator<ShellOutput> {
    yield* (await this.#opened()).run(text, options);
  }

  async complete(text: string, cursor: number): Promise<Completion> {
    return (await this.#opened()).complete(text, cursor);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  #opened(): Promise<ShellEndpoint> {
    return (this.#shell ??= this.#load());
  }

  async #load(): Promise<ShellEndpoint> {
    const callerNow = (): Promise<MethodCaller> => this.#connection.now();
    // Asked first: the language is loaded while the other process answers.
    const { describedCmdlets } = await import('../../management/descriptions/index.ts');
    const [cmdlets, { openShell }] = await Promise.all([describedCmdlets(callerNow), loadLanguage()]);
    return openShell({ files: callersFiles, callerNow, serverName: this.place.serverName, cmdlets });
  }
}
