/** Server programs in the foreground: ended with all their children, also when the test's own process ends before them. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { freePort } from './ports.ts';

export interface RunningProgram extends AsyncDisposable {
  readonly port: number;
}

export interface DaemonOptions {
  /** Whether it serves, by what it said on standard error so far; looked at until it does. */
  readonly up: (said: string) => boolean | Promise<boolean>;
  readonly upWithinMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ask it to end, and kill what is left of it after five seconds. Default: killed at once. */
  readonly asked?: boolean;
}

const endMs = 5000;

/** A program that stays in the foreground; nothing waits for it, so that a file of tests whose set-up failed can end. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #options: DaemonOptions;
  #said = '';

  private constructor(command: string, args: readonly string[], options: DaemonOptions) {
    const { cwd, env } = options;
    this.#options = options;
    // In a group of its own: some leave children behind when they are killed. It ends with the test.
    const child = spawn('setpriv', ['--pdeathsig=KILL', command, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    child.stderr.on('data', (octets: Buffer) => {
      this.#said = (this.#said + octets.toString('latin1')).slice(-2000);
    });
    child.unref();
    for (const pipe of [child.stdin, child.stderr] as unknown as Socket[]) pipe.unref();
  }

  /** Resolves when it is up; rejects, with it ended, after a minute or when it does not live any more. */
  static async start(command: string, args: readonly string[], options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(command, args, options);
    const until = performance.now() + (options.upWithinMs ?? 60_000);
    try {
      while (!(await options.up(daemon.#said))) {
        if (performance.now() > until || daemon.#ended) throw new Error(`${command} does not serve`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw new Error(`${command}: ${daemon.said}`, { cause: error });
    }
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The last that it said on standard error. */
  get said(): string {
    return this.#said;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    if (!this.#ended) {
      this.#child.ref();
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      if (this.#options.asked === true) this.#child.kill('SIGTERM');
      else killGroup(pid);
      const late = setTimeout(() => killGroup(pid), endMs);
      await gone;
      clearTimeout(late);
    }
    killGroup(pid);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

/** A server program that listens on the port given, or on a free one; resolves when it takes connections. */
export async function program(
  command: string,
  argumentsOf: (port: number) => readonly string[],
  cwd: string,
  given?: number,
): Promise<RunningProgram> {
  const port = given ?? (await freePort());
  const daemon = await Daemon.start(command, argumentsOf(port), { cwd, up: () => listens(port) });
  return { port, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

/** Whether something on loopback takes connections. */
export function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(false));
  return promise;
}
