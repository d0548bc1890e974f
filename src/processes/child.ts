import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { longestLogged, printable } from '../base/index.ts';
import { Bus } from './bus/bus.ts';
import { channelToChild } from './bus/channels.ts';
import { type ToProcess, type ToSupervisor, toProcess, toSupervisor } from './bus/messages.ts';
import { LineBudget, readOutput } from './child-output.ts';
import { type ChildPlan, launch } from './launch/launch.ts';

/** What the supervisor wants to hear of a process. */
export interface ChildListener {
  /** It runs and its bus can be used. Called again after each restart. */
  started(child: WatchedChild): void;
  /** It ended unasked; `delayMs` is when it will be started again. */
  crashed(child: WatchedChild, reason: string, delayMs: number): void;
  /** It wrote a line to its standard output or error. */
  said(child: WatchedChild, line: string): void;
  /** A message from it could not be taken or done, or it could not do one of ours. */
  failed(child: WatchedChild, text: string): void;
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
  #bus: Bus<ToProcess, ToSupervisor> | undefined;
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
  get bus(): Bus<ToProcess, ToSupervisor> | undefined {
    return this.#bus;
  }

  start(): void {
    let child: ChildProcess;
    try {
      child = launch(this.#plan);
    } catch (error) {
      return this.#notStarted(error as Error);
    }
    this.#process = child;
    this.#startedAt = performance.now();
    let breach: string | undefined;
    const channel = channelToChild(child, (reason) => {
      breach = reason;
      child.kill('SIGKILL');
    });
    // A process that was broken into must fill neither the terminal nor the journal.
    const failures = new LineBudget((line) => this.#listener.failed(this, line));
    const bus = new Bus(channel, { out: toProcess, in: toSupervisor }, (error, name) =>
      failures.tell(`'${printable(name, 64)}' failed: ${printable(error.message, longestLogged)}`),
    );
    this.#bus = bus;
    for (const stream of [child.stdout, child.stderr])
      readOutput(stream as Readable, new LineBudget((line) => this.#listener.said(this, line)));
    // It could not even be started: 'exit' does not come then.
    child.on('error', (error) => {
      if (child.pid === undefined) this.#exited(bus, error.message);
    });
    child.once('exit', (code, signal) => this.#exited(bus, breach ?? signal ?? `exit status ${code}`));
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

  #exited(bus: Bus<ToProcess, ToSupervisor>, reason: string): void {
    bus.close();
    this.#bus = undefined;
    this.#process = undefined;
    this.#again(reason);
  }

  #notStarted(error: Error): void {
    this.#startedAt = performance.now();
    this.#again(error.message);
  }

  #again(reason: string): void {
    if (this.#stopping) return this.#ended.resolve();
    this.#failures = performance.now() - this.#startedAt > healthyMs ? 0 : this.#failures + 1;
    const delayMs = this.#failures <= 1 ? 0 : Math.min(firstPauseMs * 2 ** (this.#failures - 2), longestPauseMs);
    this.restarts++;
    this.#listener.crashed(this, reason, delayMs);
    this.#timer = setTimeout(() => this.start(), delayMs);
  }
}
