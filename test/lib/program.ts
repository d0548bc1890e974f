/** Server programs in the foreground: started on a free port of loopback, ended with all their children. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { freePort } from './ports.ts';

export interface RunningProgram extends AsyncDisposable {
  readonly port: number;
}

/** A server program that listens on the port given; resolves when it takes connections. */
export async function program(
  command: string,
  argumentsOf: (port: number) => readonly string[],
  cwd: string,
  given?: number,
): Promise<RunningProgram> {
  const port = given ?? (await freePort());
  // In a group of its own: some leave children behind when they are killed.
  // It ends with the test.
  const args = ['--pdeathsig=KILL', command, ...argumentsOf(port)];
  const child = spawn('setpriv', args, { cwd, stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  let said = '';
  child.stderr?.on('data', (octets: Buffer) => {
    said = (said + octets.toString('latin1')).slice(-2000);
  });
  try {
    await untilListening(port, () => child.exitCode === null, command);
  } catch (error) {
    await end(child);
    throw new Error(said, { cause: error });
  }
  return { port, [Symbol.asyncDispose]: () => end(child) };
}

/** Rejects after ten seconds, or when it does not live any more. */
export async function untilListening(port: number, lives: () => boolean, name: string): Promise<void> {
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (attempt > 200 || !lives()) throw new Error(`${name} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(false));
  return promise;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}
