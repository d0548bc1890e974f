/** The caller's side of the management endpoint: what the `edge` command uses to talk to the running service. */
import { existsSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { groupName } from '../../processes/accounts/index.ts';
import type { StatePaths } from '../../processes/state/index.ts';
import { type HeldFolder, holdFolder, proveOneself } from '../caller-proof.ts';
import { type Answer, readLines, socketName } from '../management-wire.ts';

/** The service does not run. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** The caller may not talk to the service, by the modes of files. */
export class NotPermittedError extends Error {
  override readonly name = 'NotPermittedError';
}

type Place = Pick<StatePaths, 'root' | 'management'>;

/** A connection on which the caller has proved who it is. */
export class ManagementClient implements Disposable {
  readonly #socket: Socket;
  #next = 1;
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  private constructor(socket: Socket, folder: HeldFolder, proved: (answer: Answer) => void) {
    this.#socket = socket;
    this.#waiting.set(0, (answer) => {
      this.#waiting.delete(0);
      proved(answer);
    });
    // Answers are the service's: as long as they are.
    readLines(
      socket,
      () => Infinity,
      (line) => this.#take(JSON.parse(line) as Answer, folder),
    );
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const take of [...this.#waiting.values()]) take({ error: 'the service closed the connection' });
    });
  }

  /** Throws NotRunningError when nobody listens, NotPermittedError when the caller may not. */
  static async connect(place: Place): Promise<ManagementClient> {
    let folder: HeldFolder;
    try {
      folder = holdEndpoint(place);
    } catch (cause) {
      throw cause instanceof NotPermittedError ? cause : await whyNot(place, cause as NodeJS.ErrnoException);
    }
    using held = folder;
    const socket = connect(join(held.path, socketName));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', (cause) => void whyNot(place, cause).then(reject, reject));
    await promise;
    const proof = Promise.withResolvers<Answer>();
    const client = new ManagementClient(socket, held, proof.resolve);
    const { error } = await proof.promise;
    if (error === undefined) return client;
    if (socket.destroyed) throw new NotRunningError(error);
    socket.destroy();
    throw new NotPermittedError(error);
  }

  /** Calls a method and waits for its end; parts are handed over as they come. */
  async call(method: string, params: unknown, onPart: (part: unknown) => void = () => {}): Promise<unknown> {
    if (this.#socket.destroyed) throw new NotRunningError('the service closed the connection');
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, (answer) => {
      if ('part' in answer) return onPart(answer.part);
      this.#waiting.delete(id);
      if (answer.error === undefined) resolve(answer.end);
      else reject(this.#socket.destroyed ? new NotRunningError(answer.error) : new Error(answer.error));
    });
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    return promise;
  }

  /** Asks for an early end of what `call` runs when the signal comes; the call still waits for the service's answer. */
  async callUntil(
    signal: AbortSignal,
    method: string,
    params: unknown,
    onPart: (part: unknown) => void,
  ): Promise<unknown> {
    const id = this.#next;
    const cancel = (): void => void this.#socket.write(`${JSON.stringify({ cancel: id })}\n`);
    const answer = this.call(method, params, onPart);
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** The service ended, or closed the connection. */
  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Leaves what the service sends in the socket until `resume`: the service waits with the rest. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(answer: Answer, folder: HeldFolder): void {
    if (answer.prove === undefined) return this.#waiting.get(answer.id ?? 0)?.(answer);
    try {
      proveOneself(folder, answer.prove);
      this.#socket.write(`${JSON.stringify({ proved: true })}\n`);
    } catch (error) {
      this.#waiting.get(0)?.({
        error: `this account could not prove itself to the service: ${(error as Error).message}`,
      });
    }
  }
}

/**
 * The folder of the endpoint, as it lies in the state. A link there, or a folder of somebody else than the state's owner, could have
 * the caller's lines run at another service, with the caller's rights there. Throws NotPermittedError, or what the system says.
 */
function holdEndpoint({ root, management }: Place): HeldFolder {
  using state = holdFolder(root);
  const folder = holdFolder(join(state.path, basename(management)), 'own');
  if (folder.uid === state.uid) return folder;
  folder[Symbol.dispose]();
  throw new NotPermittedError(
    `${management} belongs to the account ${folder.uid}, ${root} to ${state.uid}: nothing is asked there`,
  );
}

/** What it means that the endpoint could not be opened. */
async function whyNot({ root, management }: Place, cause: NodeJS.ErrnoException): Promise<Error> {
  if (cause.code !== 'EACCES')
    return new NotRunningError(`no service answers at ${management}`, {
      cause,
    });
  const stat = existsSync(root) ? statSync(root) : undefined;
  const group = stat !== undefined && (stat.mode & 0o010) !== 0 ? await groupName(stat.gid) : undefined;
  const text =
    group === undefined
      ? 'only root and the account that owns it may; run the command as one of them, or let a group in with edge start --admin-group'
      : `only root, the account that owns it and members of the group '${group}' may; whoever was added to the group logs in anew first`;
  return new NotPermittedError(`you may not administer ${root}: ${text}`, {
    cause,
  });
}
