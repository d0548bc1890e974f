/**
 * The store of a stopped service, in a process of its own: what runs lines may be killed, or end for want of memory, and
 * must not have the store open. It is called as the service is, over the channel of a forked process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asAccount } from '../../processes/launch/index.ts';
import { otherOwner } from '../../processes/state/index.ts';
import { ownAccount } from '../audit/own-account.ts';
import { NotRunningError } from '../client/management-client.ts';
import type { MethodCaller } from '../client/method-caller.ts';
import type { Answer } from '../management-wire.ts';

/** What the process is started with. */
export interface StoreOptions {
  /** The state directory. */
  readonly state: string;
  /** Role of the server that an empty state becomes. */
  readonly role: string;
}

/** Names of the environment that it gets: the person's secrets are none of its business. */
const environmentNames = ['PATH', 'TZ', 'LANG', 'HOME', 'NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE'];

/** Heap of the process, in MB: an answer holds a page of objects at a time. */
const heapMb = 512;

/** A store that is open, and its caller. */
export class StoreProcess implements MethodCaller, AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #ended = Promise.withResolvers<void>();
  #next = 1;
  #closed = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer) => {
      const { id = 0 } = answer as Answer;
      this.#waiting.get(id)?.(answer as Answer);
    });
    child.on('disconnect', () => this.#close());
    child.on('error', () => this.#close());
    child.once('exit', () => {
      this.#close();
      this.#ended.resolve();
    });
  }

  /** Opens the store. Throws Error with the reason when it cannot be opened: it is locked, or damaged. */
  static async open({ state: given, role }: StoreOptions): Promise<StoreProcess> {
    const state = resolve(given);
    const names = environmentNames.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []));
    const options = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${heapMb}`];
    const entry = fileURLToPath(new URL('../../bin/store.ts', import.meta.url));
    const program = [...options, entry, JSON.stringify({ state, role, account: ownAccount({}) })];
    // Root opens nothing in a state of another account: the process is that account's.
    const [file, args] = asAccount(otherOwner(state), [process.execPath, ...program]);
    const child = spawn(file, args, {
      cwd: '/',
      env: Object.fromEntries(names) as NodeJS.ProcessEnv,
      // Ctrl-C ends lines, not the store under them.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const opened = new StoreProcess(child);
    await opened.#answer(
      0,
      () => undefined,
      () => undefined,
    );
    return opened;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  call(method: string, params: unknown, onPart: (part: unknown) => void = () => undefined): Promise<unknown> {
    const id = this.#next++;
    return this.#answer(id, onPart, () => this.#child.send({ id, method, params }));
  }

  async callUntil(
    signal: AbortSignal,
    method: string,
    params: unknown,
    onPart: (part: unknown) => void,
  ): Promise<unknown> {
    const id = this.#next;
    const cancel = (): void => {
      if (!this.#closed) this.#child.send({ cancel: id });
    };
    const answer = this.call(method, params, onPart);
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Waits until the store is closed and its lock is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.promise;
  }

  async #answer(id: number, onPart: (part: unknown) => void, ask: () => void): Promise<unknown> {
    if (this.#closed) throw new NotRunningError('the process that had the store open has ended');
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, (answer) => {
      if ('part' in answer) return onPart(answer.part);
      this.#waiting.delete(id);
      if (answer.error === undefined) resolve(answer.end);
      else reject(this.#closed ? new NotRunningError(answer.error) : new Error(answer.error));
    });
    ask();
    return promise;
  }

  #close(): void {
    this.#closed = true;
    for (const take of [...this.#waiting.values()]) take({ error: 'the process that had the store open has ended' });
  }
}
