import { formatEndpoint, printable } from '../base/index.ts';
import type { ArgumentOf, Bus } from './bus/bus.ts';
import type {
  BindingState,
  FanOutAnswer,
  FanOutRequest,
  LogonOutcome,
  LogonQuestion,
  ProcessState,
  ToProcess,
  ToSupervisor,
} from './bus/messages.ts';
import { WatchedChild } from './child.ts';
import type { ChildPlan } from './launch/launch.ts';
import { BindError, type Binding, bindSocket, probeBinding, type SocketHandle } from './listen-sockets.ts';

type ChildBus = Bus<ToProcess, ToSupervisor>;

/** Lines for the operator. */
export interface SupervisorLog {
  info(text: string): void;
  warn(text: string): void;
}

export interface SupervisorPlan {
  readonly directory: ChildPlan;
  readonly workers: readonly ChildPlan[];
  readonly log: SupervisorLog;
  /** Hears the ids of the processes whenever one was started. */
  readonly onProcesses?: (pids: readonly number[]) => void;
  /** Requests that the directory process may have passed on to every worker. */
  readonly relayed: readonly string[];
  /** Ports that may be bound for the processes. */
  readonly mayBind: (port: number) => boolean;
}

/** The check of a password may take so long: behind guesses the directory waits before it answers. */
const logonMs = 30_000;
/** A binding that could not be had is tried again so often, in milliseconds. */
const rebindMs = 5_000;
/** The directory opens, seeds and indexes its store within this time; a large one takes seconds. */
const directoryStartMs = 120_000;
/** Sessions in DATA may take so long to finish when the service stops. */
const drainMs = 30_000;

/** Starts, watches and stops the processes of an appliance, and holds its sockets. It reads nothing from the network. */
export class Supervisor {
  #log: SupervisorLog;
  #onProcesses: (pids: readonly number[]) => void;
  #relayed: ReadonlySet<string>;
  #mayBind: (port: number) => boolean;
  #directory: WatchedChild;
  #workers: readonly WatchedChild[];
  #bindings = new Map<string, Binding>();
  #faults = new Map<string, string>();
  #sockets = new Map<string, SocketHandle>();
  /** Of session tickets, as the directory process told it last; '' before. */
  #ticketSecret = '';
  #rebind: NodeJS.Timeout | undefined;
  #stopping = false;
  #everReady = new Set<WatchedChild>();
  #ready = new Map<WatchedChild, PromiseWithResolvers<void>>();
  #wanted = Promise.withResolvers<void>();

  constructor(plan: SupervisorPlan) {
    this.#log = plan.log;
    this.#onProcesses = plan.onProcesses ?? (() => {});
    this.#relayed = new Set(plan.relayed);
    this.#mayBind = plan.mayBind;
    const listener = {
      started: (child: WatchedChild) => this.#started(child),
      crashed: (child: WatchedChild, reason: string, delayMs: number) => this.#crashed(child, reason, delayMs),
      said: (child: WatchedChild, line: string) => this.#log.info(`${child.name}: ${line}`),
      failed: (child: WatchedChild, text: string) => this.#log.warn(`${child.name}: ${text}`),
    };
    this.#directory = new WatchedChild(plan.directory, listener);
    this.#workers = plan.workers.map((worker) => new WatchedChild(worker, listener));
  }

  /** Resolves when the directory answers, every worker runs and every binding that can be had listens. Rejects when it is stopped before. */
  async start(): Promise<readonly BindingState[]> {
    this.#directory.start();
    await withLimit(this.#readiness(this.#directory).promise, directoryStartMs, 'the directory did not start');
    if (this.#stopping) throw stopped();
    for (const worker of this.#workers) worker.start();
    await Promise.all(this.#workers.map((worker) => this.#readiness(worker).promise));
    await withLimit(this.#wanted.promise, directoryStartMs, 'the directory named no bindings');
    await this.#bindAll();
    return this.bindings();
  }

  /** No new session; sessions in DATA finish; then every process ends. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#rebind);
    // A start that is still under way waits for nothing any more.
    for (const ready of this.#ready.values()) ready.reject(stopped());
    this.#wanted.promise.catch(() => {});
    this.#wanted.reject(stopped());
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    await Promise.all(this.#workers.map((worker) => worker.stop(drainMs)));
    await this.#directory.stop(drainMs);
  }

  /** Every process opens its logs anew (SIGHUP). */
  reopenLogs(): void {
    for (const child of [this.#directory, ...this.#workers]) child.bus?.notify('reopen-logs', undefined);
  }

  bindings(): BindingState[] {
    const isOpen = (text: string): boolean =>
      this.#workers.every((worker) => this.#sockets.has(socketKey(text, worker)));
    return [...this.#bindings].map(([binding, { use }]) => ({
      binding,
      use,
      open: isOpen(binding),
      fault: this.#faults.get(binding) ?? '',
    }));
  }

  processes(): ProcessState[] {
    return [this.#directory, ...this.#workers].map(({ name, pid, restarts }) => ({ name, pid: pid ?? 0, restarts }));
  }

  #started(child: WatchedChild): void {
    const bus = child.bus;
    if (bus === undefined) return;
    this.#onProcesses(this.processes().flatMap(({ pid }) => (pid === 0 ? [] : [pid])));
    bus.handle('ready', () => this.#becameReady(child, bus));
    if (child !== this.#directory) {
      bus.handle('check-logon', (question) => this.#checkLogon(question));
      return;
    }
    bus.handle('bindings', (list) => this.#want(list));
    bus.handle('changed', (usn) => this.#tellWorkers('changed', usn));
    bus.handle('certificates-changed', () => this.#tellWorkers('certificates-changed', undefined));
    bus.handle('ticket-secret', (secret) => {
      this.#ticketSecret = secret;
      this.#tellWorkers('ticket-secret', secret);
    });
    bus.handle('fan-out', (request) => this.#fanOut(request));
    bus.handle('supervisor-status', () => ({
      pid: process.pid,
      bindings: this.bindings(),
      processes: this.processes(),
    }));
  }

  #crashed(child: WatchedChild, reason: string, delayMs: number): void {
    const when = delayMs === 0 ? 'it is started again' : `it is started again in ${delayMs} ms`;
    this.#log.warn(`${child.name} ended (${reason}); ${when}`);
    // A process that ends before it was ever ready says itself why; trying again would only repeat it.
    if (!this.#everReady.has(child)) this.#readiness(child).reject(new Error(`${child.name} ended (${reason})`));
    this.#ready.delete(child);
    // While it pauses, the kernel must not queue connections for it.
    if (delayMs > 0) this.#closeSocketsOf(child);
  }

  #readiness(child: WatchedChild): PromiseWithResolvers<void> {
    const known = this.#ready.get(child) ?? Promise.withResolvers<void>();
    known.promise.catch(() => {});
    this.#ready.set(child, known);
    return known;
  }

  async #becameReady(child: WatchedChild, bus: ChildBus): Promise<void> {
    this.#everReady.add(child);
    this.#readiness(child).resolve();
    if (child !== this.#directory && this.#ticketSecret !== '') bus.notify('ticket-secret', this.#ticketSecret);
    // One that came back gets its sockets at once; at the first start `bindAll` does it for all.
    if (child === this.#directory || child.restarts === 0) return;
    for (const [text, binding] of this.#bindings) {
      if (!this.#faults.has(text)) await this.#give(child, bus, binding);
    }
  }

  /** The configuration names these bindings now. */
  async #want(list: readonly Binding[]): Promise<void> {
    const next = new Map(list.map((binding) => [formatEndpoint(binding), binding]));
    const gone = [...this.#bindings].filter(([text, { use }]) => next.get(text)?.use !== use);
    this.#bindings = next;
    // Closed everywhere before others are bound: a wildcard may give way to one of its addresses.
    await Promise.all(gone.map(([text, binding]) => this.#drop(text, binding)));
    const first = this.#wanted;
    first.resolve();
    // At the first start `start` binds, once every worker can listen.
    if (this.#workers.every((worker) => this.#everReady.has(worker))) await this.#bindAll();
  }

  async #bindAll(): Promise<void> {
    clearTimeout(this.#rebind);
    for (const [text, binding] of this.#bindings) await this.#bind(text, binding);
    if (this.#faults.size > 0 && !this.#stopping) {
      this.#rebind = setTimeout(() => void this.#bindAll(), rebindMs);
      this.#rebind.unref();
    }
  }

  async #bind(text: string, binding: Binding): Promise<void> {
    const missing = this.#workers.filter((worker) => !this.#sockets.has(socketKey(text, worker)));
    if (missing.length === 0 || this.#stopping) return;
    try {
      if (!this.#mayBind(binding.port)) throw new BindError(binding, 'not-allowed');
      if (missing.length === this.#workers.length) probeBinding(binding, this.#sockets.values());
      for (const worker of missing) if (worker.bus !== undefined) await this.#give(worker, worker.bus, binding);
      if (this.#faults.delete(text)) this.#log.info(`${text} listens now`);
    } catch (error) {
      if (!(error instanceof BindError)) throw error;
      if (this.#faults.get(text) !== error.message) this.#log.warn(error.message);
      this.#faults.set(text, error.message);
    }
  }

  async #give(worker: WatchedChild, bus: ChildBus, binding: Binding): Promise<void> {
    const text = formatEndpoint(binding);
    const key = socketKey(text, worker);
    const socket = this.#sockets.get(key) ?? bindSocket(binding);
    this.#sockets.set(key, socket);
    try {
      await bus.request('listen', binding, { handle: socket });
    } catch (error) {
      // The worker is gone, or refuses: it is asked again when it comes back.
      this.#log.warn(`${worker.name} does not listen on ${text}: ${(error as Error).message}`);
    }
  }

  async #drop(text: string, binding: Binding): Promise<void> {
    this.#faults.delete(text);
    const closed = this.#workers.map(async (worker) => {
      this.#closeSocket(socketKey(text, worker));
      // One that is gone, or does not answer, listens no more, or is told as such when the next one cannot be bound.
      await worker.bus?.request('unlisten', binding).catch(() => undefined);
    });
    await Promise.all(closed);
  }

  #closeSocketsOf(worker: WatchedChild): void {
    for (const text of this.#bindings.keys()) this.#closeSocket(socketKey(text, worker));
  }

  #closeSocket(key: string): void {
    this.#sockets.get(key)?.close();
    this.#sockets.delete(key);
  }

  #tellWorkers<N extends 'changed' | 'certificates-changed' | 'ticket-secret'>(
    name: N,
    argument: ArgumentOf<ToProcess[N]>,
  ): void {
    for (const worker of this.#workers) worker.bus?.notify(name, argument);
  }

  /** The directory process has the accounts. While it is away nobody can say. */
  async #checkLogon(question: LogonQuestion): Promise<LogonOutcome> {
    try {
      const answer = await this.#directory.bus?.request('check-logon', question, { timeoutMs: logonMs });
      return answer ?? { kind: 'unavailable', name: '', sids: [] };
    } catch {
      // It is gone, or takes too long; what failed in it is in its log.
      return { kind: 'unavailable', name: '', sids: [] };
    }
  }

  /** Asks every worker and gives back what each said; one that is down or fails is told by its error. */
  async #fanOut(request: FanOutRequest): Promise<FanOutAnswer[]> {
    if (!this.#relayed.has(request.name))
      throw new Error(`'${printable(request.name, 64)}' is not passed on to workers`);
    return Promise.all(
      this.#workers.map(async (worker) => {
        try {
          if (worker.bus === undefined) throw new Error('the worker is down');
          return { worker: worker.name, result: await worker.bus.relay(request.name, request.argument) };
        } catch (error) {
          return { worker: worker.name, error: (error as Error).message };
        }
      }),
    );
  }
}

const stopped = (): Error => new Error('it was stopped before it was ready');

function socketKey(binding: string, worker: WatchedChild): string {
  return `${binding} ${worker.name}`;
}

async function withLimit<T>(promise: Promise<T>, limitMs: number, text: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${text} within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
