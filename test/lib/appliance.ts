/** A whole appliance of one's own: `edge start` on a temporary state directory and free ports, as an administrator runs it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StatusReport } from '../../src/cli/index.ts';
import type { Chain } from '../../src/logs/index.ts';
import { edgeHere } from './command-here.ts';
import { freePort } from './ports.ts';
import { shellHere } from './shell-here.ts';

/** The command as it is called from a shell. */
export const edgeCommand = fileURLToPath(new URL('../../src/bin/edge', import.meta.url));

/** A start, a stop and a command take no longer, in milliseconds; wide, for a busy machine. */
const [startMs, stopMs, commandMs] = [180_000, 120_000, 300_000];

/** Lines after which another configuration may be in force. */
const changing = /\b(?:Set|New|Remove|Add|Enable|Disable|Update|Import)-/i;

export interface ApplianceOptions {
  readonly role?: 'EdgeTransport' | 'Mailbox';
  readonly workers?: number;
  /** Account to run as; default: who runs the test. */
  readonly user?: string;
  /** Group whose members may administer. */
  readonly adminGroup?: string;
  /** Name of the server in its directory, for several of them on this machine (root). Default: this machine's. */
  readonly hostName?: string;
  /** Command that the service is started behind; it must become the service (exec). `$state` is replaced. */
  readonly behind?: readonly string[];
  /** Management-shell lines run before the start; `$port` and `$server` are replaced. */
  readonly lines?: readonly string[];
}

export interface CommandResult {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the edge command to its end; one that only asks the service, in this process. */
export async function edge(...args: string[]): Promise<CommandResult> {
  if (args[0] === 'status') return edgeHere(args);
  try {
    const options = { maxBuffer: 64 * 1024 ** 2, timeout: commandMs, killSignal: 'SIGKILL' } as const;
    const { stdout, stderr } = await promisify(execFile)(edgeCommand, args, options);
    return { status: 0, out: stdout, error: stderr };
  } catch (error) {
    const failure = error as { code: number; stdout: string; stderr: string };
    return { status: failure.code, out: failure.stdout, error: failure.stderr };
  }
}

export class Appliance implements AsyncDisposable {
  readonly state: string;
  readonly port: number;
  readonly ldapPort: number;
  /** What the next start goes by. */
  options: ApplianceOptions;
  /** What the service wrote to standard error. */
  output = '';
  #process: ChildProcess | undefined;

  private constructor(state: string, port: number, ldapPort: number, options: ApplianceOptions) {
    this.state = state;
    this.port = port;
    this.ldapPort = ldapPort;
    this.options = options;
  }

  /** Sets an appliance up; `start()` then runs it. */
  static async prepare(options: ApplianceOptions = {}): Promise<Appliance> {
    const state = join(mkdtempSync(join(tmpdir(), 'edge-appliance-')), 'state');
    // The account of the services must be able to reach the state directory.
    chmodSync(join(state, '..'), 0o755);
    const appliance = new Appliance(state, await freePort(), await freePort(), options);
    if (options.hostName !== undefined) await nameServer(state, options.hostName);
    const connector = options.role === 'Mailbox' ? 'Default $server' : 'Default internal receive connector $server';
    await appliance.shell(
      `ConfigureAdam.ps1 -LdapPort ${appliance.ldapPort} -SslPort ${await freePort()}`,
      `Set-ReceiveConnector "${connector}" -Bindings 127.0.0.1:${appliance.port} -MaxInboundConnectionPerSource Unlimited -MaxInboundConnectionPercentagePerSource 100 -MessageRateLimit Unlimited`,
      'Set-TransportConfig -MaxReceiveSize Unlimited -MaxSendSize Unlimited',
      'Set-TransportService -MaxConnectionRatePerMinute 2147483647',
      ...(options.lines ?? []),
    );
    return appliance;
  }

  static async start(options: ApplianceOptions = {}): Promise<Appliance> {
    const appliance = await Appliance.prepare(options);
    try {
      await appliance.start();
    } catch (error) {
      await appliance[Symbol.asyncDispose]();
      throw error;
    }
    return appliance;
  }

  /** Name of the server in its directory. */
  get name(): string {
    return this.options.hostName?.split('.')[0]?.toUpperCase() ?? serverName();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts the service and resolves when it says that it is ready. */
  async start(): Promise<void> {
    const { role = 'EdgeTransport', workers = 2, user, adminGroup, behind = [] } = this.options;
    const account = user ?? (process.getuid?.() === 0 ? 'root' : undefined);
    const args = ['start', '--state', this.state, '--role', role, '--workers', String(workers)];
    if (account !== undefined) args.push('--user', account);
    if (adminGroup !== undefined) args.push('--admin-group', adminGroup);
    const command = [...behind.map((part) => part.replaceAll('$state', this.state)), edgeCommand, ...args];
    // It ends with the test, and has nothing open of the test's own: who waits for the end of a test would wait for it.
    const child = spawn('setpriv', ['--pdeathsig=KILL', ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const ready = Promise.withResolvers<void>();
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.output += `${line}\n`;
      if (line.includes(' is ready')) ready.resolve();
    });
    child.once('exit', (code, signal) =>
      ready.reject(new Error(`edge start ended (${String(signal ?? code)}):\n${this.output}`)),
    );
    const late = setTimeout(() => {
      ready.reject(new Error(`edge start was not ready within ${startMs / 1000} s:\n${this.output}`));
      child.kill('SIGKILL');
    }, startMs);
    await ready.promise.finally(() => clearTimeout(late));
  }

  /** Ends the service; resolves with its exit status. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
    const [code] = await ended;
    clearTimeout(late);
    return code;
  }

  /** Process ids of the workers that live now. */
  workers(): number[] {
    return childrenOf(this.pid, 'transport.ts');
  }

  /** Process id of the directory process; 0 while there is none. */
  directory(): number {
    return childrenOf(this.pid, 'directory.ts')[0] ?? 0;
  }

  /** Runs management-shell lines; throws with what was said when one failed. `$server` and `$port` are replaced. */
  async shell(...lines: string[]): Promise<string> {
    const filled = lines.map((line) => line.replaceAll('$server', this.name).replaceAll('$port', String(this.port)));
    const { role = 'EdgeTransport' } = this.options;
    const result = await shellHere({ state: this.state, role, lines: filled });
    if (result.status !== 0) throw new Error(`${filled.join('\n')}\n${result.out}${result.error}`);
    if (this.#isRunning && filled.some((line) => changing.test(line))) await this.#inForce();
    return result.out;
  }

  get #isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Waits for the workers: they hear of a change behind the answer to the cmdlet, and a test is quicker than any person. */
  async #inForce(): Promise<void> {
    const isInForce = async (): Promise<boolean> => {
      const { usn, workers } = JSON.parse((await edge('status', '--state', this.state, '--json')).out) as StatusReport;
      return workers.every(({ configuration: own }) => (own?.refused?.usn ?? own?.usn ?? usn) >= usn);
    };
    // One that cannot take it up, or says nothing, is what a test may be about.
    await eventually('the change is in force', isInForce, 5_000).catch(() => undefined);
  }

  /** Runs a script; what it prints. Lines that fail are the script's own affair. */
  async shellFile(path: string): Promise<string> {
    const { out, error } = await shellHere({ state: this.state, file: path });
    return out + error;
  }

  /** The decisions about a session, message or address. */
  async why(about: string): Promise<Chain[]> {
    const args = ['why', about, '--state', this.state, '--json'];
    // Who reads the logs becomes the account that owns them, for good.
    const isOwn = statSync(this.state).uid === process.getuid?.();
    const { status, out } = await (isOwn ? edgeHere(args) : edge(...args));
    return status === 0 ? (JSON.parse(out) as Chain[]) : [];
  }

  /** Messages in the mailboxes (Mailbox role): one path each. */
  mail(): string[] {
    const root = join(this.state, 'mailboxes');
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.parentPath.endsWith('/new'))
      .map((entry) => join(entry.parentPath, entry.name));
  }

  /** Text of every file of one log folder below `logs/`. */
  log(folder: string): string {
    const path = join(this.state, 'logs', folder);
    if (!existsSync(path)) return '';
    return readdirSync(path)
      .map((name) => readFileSync(join(path, name), 'utf8'))
      .join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(join(this.state, '..'), { recursive: true, force: true });
  }
}

/** Children of a process that run a program, as the kernel tells them: asking the appliance costs a command for each look. */
function childrenOf(parent: number, program: string): number[] {
  const runs = (pid: string): boolean => {
    try {
      // The name of a program stands in brackets, and may hold some itself; state and parent follow (proc(5)).
      const parentOf = /.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
      return Number(parentOf) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`/${program}\0`);
    } catch {
      return false;
    }
  };
  return parent === 0
    ? []
    : readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name) && runs(name))
        .map(Number);
}

/** Makes the state where the machine has another name: a server is called after it once and for all. */
async function nameServer(state: string, hostName: string): Promise<void> {
  const script = 'hostname "$1"; exec "$2" shell --state "$3" -c Get-AcceptedDomain';
  await promisify(execFile)('unshare', ['--uts', 'sh', '-c', script, 'sh', hostName, edgeCommand, state]);
}

/** Short name of this machine, upper case: the name of a server in the directory. */
export function serverName(): string {
  return (readFileSync('/proc/sys/kernel/hostname', 'utf8').trim().split('.')[0] ?? '').toUpperCase();
}

/** Waits until something holds; a look that takes long, as a command does, is repeated less often than every 25 ms. Rejects after the limit with what was wanted. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    const began = performance.now();
    if (await holds()) return;
    const now = performance.now();
    if (now > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, Math.max(25, now - began)));
  }
}
