/**
 * The management endpoint: one unix socket of the local administrator. JSON lines both ways: a request
 * `{"id":1,"method":"…","params":…}` is answered by any number of `{"id":1,"part":…}` and one `{"id":1,"end":…}` or `{"id":1,"error":"…"}`.
 * `{"cancel":1}` asks for an early end of request 1; it is answered by that request's own end.
 */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Answers one method. Parts go out as they are yielded; what is returned ends the answer. */
export type ManagementMethod = (params: unknown, signal: AbortSignal) => AsyncGenerator<unknown, unknown>;

/** A request longer than this is not one of ours, in characters. */
const maxRequestLength = 4 * 1024 * 1024;

interface Request {
  readonly cancel?: number;
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** Serves the methods on a socket that only its owner (and root) can open. */
export class ManagementServer {
  #methods: Readonly<Record<string, ManagementMethod>>;
  #server: Server;
  #sockets = new Set<Socket>();

  constructor(methods: Readonly<Record<string, ManagementMethod>>) {
    this.#methods = methods;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve();
    });
    await promise;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const running = new Map<number, AbortController>();
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const abort of running.values()) abort.abort();
    });
    readLines(socket, (line) => void this.#answer(socket, line, running));
  }

  async #answer(socket: Socket, line: string, running: Map<number, AbortController>): Promise<void> {
    let id = 0;
    try {
      const request = JSON.parse(line) as Request;
      if (request.cancel !== undefined) return running.get(request.cancel)?.abort();
      id = request.id;
      const abort = new AbortController();
      running.set(id, abort);
      const { signal } = abort;
      const method = Object.hasOwn(this.#methods, request.method) ? this.#methods[request.method] : undefined;
      if (method === undefined) throw new Error(`there is no method '${request.method}'`);
      const answer = method(request.params, signal);
      for (;;) {
        const { done, value } = await answer.next();
        if (socket.destroyed) return void (await answer.return(undefined));
        if (!socket.write(`${JSON.stringify(done ? { id, end: value ?? null } : { id, part: value })}\n`))
          await drained(socket);
        if (done) return;
      }
    } catch (error) {
      if (!socket.destroyed)
        socket.write(`${JSON.stringify({ id, error: error instanceof Error ? error.message : String(error) })}\n`);
    } finally {
      running.delete(id);
    }
  }
}

/** The service does not run, or its endpoint may not be opened. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** The other end: what the `edge` command uses to talk to the running service. */
export class ManagementClient implements Disposable {
  #socket: Socket;
  #next = 1;
  #waiting = new Map<number, (answer: { part?: unknown; end?: unknown; error?: string }) => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    readLines(socket, (line) => {
      const answer = JSON.parse(line) as { id: number; part?: unknown; end?: unknown; error?: string };
      this.#waiting.get(answer.id)?.(answer);
    });
    socket.on('close', () => {
      for (const take of [...this.#waiting.values()]) take({ error: 'the service closed the connection' });
    });
  }

  /** Throws NotRunningError when nobody listens. */
  static async connect(path: string): Promise<ManagementClient> {
    const socket = connect(path);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', (cause) => reject(new NotRunningError(`no service answers at ${path}`, { cause })));
    await promise;
    socket.on('error', () => {});
    return new ManagementClient(socket);
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
}

function readLines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    if (rest.length > maxRequestLength && !rest.includes('\n')) return void socket.destroy();
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(line);
  });
}

async function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('drain', resolve);
  socket.once('close', resolve);
  await promise;
}
