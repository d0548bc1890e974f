import { type ChildProcess, fork } from 'node:child_process';
import { Bus } from './bus.ts';

/** How a process is started; the same each time it comes back. */
export interface ChildPlan {
  /** 'directory', 'worker 0', …: for people. */
  readonly name: string;
  readonly entry: string;
  readonly arguments: readonly string[];
  readonly nodeOptions: readonly string[];
}

/** What the supervisor wants to hear of a process. */
export interface ChildListener {
  /** It runs and its bus can be used. Called again after each restart. */
  started(child: WatchedChild): void;
  /** It ended unasked; `delayMs` is when it will be started again. */
  crashed(child: WatchedChild, reason: string, delayMs: number): void;
}

/** A process that lived this long is started again at once; below, the pause doubles. */
const healthyMs = 10_000;
const firstPauseMs = 250;
const longestPauseMs = 30_000;

/** One process that is started again whenever it ends unasked, with growing pauses when it keeps failing. */
export class WatchedChild {
  readonly name: string;
  #plan: ChildPlan;
  #listener: ChildListener;
  #process: ChildProcess | undefined;
  #bus: Bus | undefined;
  #stopping = false;
  #failures = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = Promise.withResolvers<void>();
  restarts = 0;

  constructor(plan: ChildPlan, listener: ChildListener) {
    this.name = plan.name;
    this.#plan = plan;
    this.#listener = listener;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Undefined while the process is down. */
  get bus(): Bus | undefined {
    return this.#bus;
  }

  start(): void {
    const { entry, arguments: args, nodeOptions } = this.#plan;
    const child = fork(entry, args, {
      execArgv: [...nodeOptions],
      // Each thread would have a heap of its own to be left half empty, and keep the 19 MB of a password it once hashed. The
      // 2 MB that LMDB takes for each transaction stay.
      env: {
        MALLOC_ARENA_MAX: '2',
        MALLOC_MMAP_THRESHOLD_: String(4 * 1024 ** 2),
        MALLOC_TRIM_THRESHOLD_: String(8 * 1024 ** 2),
        ...process.env,
      },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process = child;
    this.#startedAt = performance.now();
    const bus = new Bus({
      send: (message, handle) => void child.send(message as object, handle as never, { keepOpen: true }, () => {}),
      onMessage: (listener) => void child.on('message', listener),
    });
    this.#bus = bus;
    child.on('error', () => {});
    child.once('exit', (code, signal) => this.#exited(bus, code, signal));
    this.#listener.started(this);
  }

  /** Asks the process to end and waits; after the limit it is killed. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#process === undefined) return;
    this.#bus?.notify('stop', undefined);
    const timer = setTimeout(() => this.#process?.kill('SIGKILL'), limitMs);
    await this.#ended.promise;
    clearTimeout(timer);
  }

  #exited(bus: Bus, code: number | null, signal: NodeJS.Signals | null): void {
    bus.close();
    this.#bus = undefined;
    this.#process = undefined;
    if (this.#stopping) return this.#ended.resolve();
    this.#failures = performance.now() - this.#startedAt > healthyMs ? 0 : this.#failures + 1;
    const delayMs = this.#failures <= 1 ? 0 : Math.min(firstPauseMs * 2 ** (this.#failures - 2), longestPauseMs);
    this.restarts++;
    this.#listener.crashed(this, signal ?? `exit status ${code}`, delayMs);
    this.#timer = setTimeout(() => this.start(), delayMs);
  }
}
