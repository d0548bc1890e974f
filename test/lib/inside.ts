/** The inside of a subscription: the state of `edge sync` in a folder of its own, and the commands on it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSubscriptionFile } from '../../src/edge-sync/subscription-file.ts';
import { type Appliance, type CommandResult, edgeCommand, eventually } from './appliance.ts';
import { edgeHere } from './command-here.ts';

/** What `edge sync apply --json` says of one edge. */
export interface Applied {
  readonly reading: { readonly complete: boolean; readonly scanned: number; readonly reasons: readonly string[] };
  readonly edges: readonly {
    readonly edge: string;
    readonly configuration: number;
    readonly recipients?: { readonly written: number; readonly addressesLost: number };
    readonly stopped?: string;
  }[];
}

export class Inside implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-inside-'));
  /** State directory of `edge sync`. */
  readonly state: string;
  readonly #running = new Set<ChildProcess>();

  /** Default: a state of its own. */
  constructor(state?: string) {
    this.state = state ?? join(this.folder, 'state');
  }

  /** Writes a file of mode 0600; its path. */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  /** One command of `edge sync`, in this process: a process for each would take most of a test's time. */
  sync(command: string, ...args: string[]): Promise<CommandResult> {
    return edgeHere(['sync', command, '--state', this.state, ...args]);
  }

  /** A command that must be done; what it printed. */
  async done(command: string, ...args: string[]): Promise<string> {
    const { status, out, error } = await this.sync(command, ...args);
    if (status !== 0) throw new Error(`edge sync ${command} ${args.join(' ')}: ${status}\n${out}${error}`);
    return out;
  }

  async apply(...args: string[]): Promise<Applied & { readonly status: number }> {
    const { status, out, error } = await this.sync('apply', '--json', ...args);
    if (!out.startsWith('{')) throw new Error(`edge sync apply: ${status}\n${out}${error}`);
    return { status, ...(JSON.parse(out) as Applied) };
  }

  /** Makes the subscription file on an edge; its path. */
  async fileOf(appliance: Appliance, name = 'edge.xml'): Promise<string> {
    const path = join(this.folder, name);
    await appliance.shell(`New-EdgeSubscription -FileName '${path}' -Force`);
    // LDAPS listens from now on; a person carries the file inside meanwhile.
    const { adamSslPort: port } = readSubscriptionFile(readFileSync(path));
    await eventually('LDAPS of the edge', async () => {
      const socket = connect(port, '127.0.0.1');
      const answers = await once(socket, 'connect').catch(() => undefined);
      socket.destroy();
      return answers !== undefined;
    });
    return path;
  }

  /** Subscribes an edge of this machine. */
  async subscribe(appliance: Appliance, site = 'Main'): Promise<void> {
    const path = await this.fileOf(appliance, `${appliance.name}.xml`);
    await this.done('subscribe', path, '--site', site, '--address', '127.0.0.1');
  }

  /** Starts `edge sync run` or another command that lasts; resolves at its first line on standard error. */
  async start(command: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn(edgeCommand, ['sync', command, '--state', this.state, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.add(child);
    const first = await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`edge sync ${command} ended: ${String(first)}`);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) await ended(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Ends a child that may have ended; resolves when it has. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
