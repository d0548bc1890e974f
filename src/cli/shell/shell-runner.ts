/** Where `edge shell` runs its lines: in the service that runs, or on the store itself when none does. */

import { randomUUID } from 'node:crypto';
import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import type { CallerTask, ShellPart, ShellRequest, TaskReply } from '../../management/client/index.ts';
import { ManagementClient, NotRunningError } from '../../management/client/index.ts';
import type { Place, Runner } from '../../management/store/index.ts';
import {
  lockStateFolder,
  mayUse,
  prepareStateFolder,
  type StatePaths,
  statePaths,
} from '../../processes/state/index.ts';
import {
  Channel,
  type Completion,
  type FileAccess,
  type RunOptions,
  type ShellOutput,
} from '../../shell/caller/index.ts';

/** Files with the rights of whoever called the command. */
const callersFiles: FileAccess = {
  read: (path) => readFile(path),
  write: (path, content, append) => (append ? appendFile(path, content) : writeFile(path, content)),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

/** Opens a session. Throws StateLockedError when the state is in use by something that does not answer, an Error for a stranger. */
export async function openRunner(options: {
  readonly state: string;
  readonly role: 'EdgeTransport' | 'Mailbox';
}): Promise<Runner> {
  const paths: StatePaths = statePaths(options.state);
  try {
    return await ServiceRunner.open(paths);
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
    // Only now is the directory loaded: the shell of a running service starts without it.
    const { openStoreRunner } = await import('../../management/store/index.ts');
    prepareStateFolder(paths);
    const lock = lockStateFolder(paths);
    return openStoreRunner(paths, options.role, callersFiles, lock);
  }
}

/** Lines run in the service; what they ask of the caller is done here. */
class ServiceRunner implements Runner {
  readonly place: Place;
  readonly #paths: StatePaths;
  #client: ManagementClient;
  #session = randomUUID();

  private constructor(paths: StatePaths, client: ManagementClient, serverName: string) {
    this.#paths = paths;
    this.#client = client;
    this.place = { serverName, running: true };
  }

  /** Throws NotRunningError when no service answers. */
  static async open(paths: StatePaths): Promise<ServiceRunner> {
    const client = await ManagementClient.connect(paths);
    const { serverName } = (await client.call('shell-place', null)) as { serverName: string };
    return new ServiceRunner(paths, client, serverName);
  }

  abandon(): void {
    this.#session = randomUUID();
  }

  async *run(text: string, options: RunOptions): AsyncGenerator<ShellOutput> {
    if (this.#client.isClosed) {
      this.#client = await ManagementClient.connect(this.#paths);
      this.abandon();
      yield { kind: 'warning', text: 'WARNING: The service was started anew. Variables of this session are gone.\n' };
    }
    const channel = new Channel<ShellOutput>();
    const { width, colour, file, ask, signal = new AbortController().signal } = options;
    const canAsk = ask !== undefined;
    const sudoer = process.env['SUDO_USER'];
    const request: ShellRequest = {
      session: this.#session,
      text,
      width,
      colour,
      ...(sudoer && { sudoer }),
      canAsk,
      ...(file && { file }),
    };
    const take = (part: ShellPart): void => {
      if (part.kind === 'task') void this.#reply(part.token, part.task, ask);
      else channel.push(part);
      // The service waits when nobody reads: a long list must not pile up here.
      if (!channel.isFull) return;
      this.#client.pause();
      void channel.room().then(() => this.#client.resume());
    };
    const work = this.#client
      .callUntil(signal, 'shell', request, (part) => take(part as ShellPart))
      .finally(() => channel.close());
    // Its failure is thrown below, once all that came before it was read.
    work.catch(() => undefined);
    yield* channel;
    await work;
  }

  async complete(text: string, cursor: number): Promise<Completion> {
    return (await this.#client.call('shell-complete', { session: this.#session, text, cursor })) as Completion;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
  }

  async #reply(token: number, task: CallerTask, ask: RunOptions['ask']): Promise<void> {
    const { call } = { call: (reply: TaskReply) => this.#client.call('shell-reply', reply) };
    const session = this.#session;
    try {
      await call({ session, token, value: await doTask(task, ask) });
    } catch (error) {
      // When the service is gone, the line itself says so.
      await call({ session, token, error: (error as Error).message }).catch(() => undefined);
    }
  }
}

async function doTask(task: CallerTask, ask: RunOptions['ask']): Promise<string | boolean> {
  switch (task.task) {
    case 'ask':
      if (ask === undefined) throw new Error('nobody is there to answer');
      return ask(task.question);
    case 'read':
      return Buffer.from(await callersFiles.read(task.path)).toString('base64');
    case 'write':
      await callersFiles.write(task.path, Buffer.from(task.content, 'base64'), task.append);
      return true;
    case 'exists':
      return callersFiles.exists(task.path);
  }
}
