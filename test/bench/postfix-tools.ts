/** The same question asked with Postfix's own C tools: smtp-source -> relay -> smtp-sink. Counts only, at very little CPU. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface ToolLoad {
  readonly relayPort: number;
  readonly sinkPort: number;
  readonly messages: number;
  readonly sessions: number;
  /** Connections are kept (-d). */
  readonly keep: boolean;
}

export interface ToolResult {
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly arrived: number;
}

/** Messages that do not arrive within this time after the last accept are lost. */
const drainMs = 30_000;

/** One run. */
export async function driveWithTools(load: ToolLoad): Promise<ToolResult> {
  // As root it wants an account to become; as anybody else it can become none.
  const account = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const sink = spawn('smtp-sink', [...account, '-c', `127.0.0.1:${load.sinkPort}`, '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(sink, 'exit');
  let arrived = 0;
  let last = 0;
  // The counter line is overwritten in place: "sess=… quit=… mesg=…".
  sink.stdout.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    const at = text.lastIndexOf('mesg=');
    if (at < 0) return;
    arrived = Number.parseInt(text.slice(at + 5), 10) || arrived;
    last = performance.now();
  });
  await Promise.race([reachable(load.sinkPort), ended]);
  if (sink.exitCode !== null) throw new Error(`smtp-sink ended with status ${sink.exitCode}`);
  const start = performance.now();
  const options = [
    '-4',
    '-s',
    String(load.sessions),
    '-m',
    String(load.messages),
    '-l',
    '4096',
    '-f',
    's@bench.test',
    '-t',
    'r0.1@rcpt.test',
  ];
  const source = spawn('smtp-source', [...options, ...(load.keep ? ['-d'] : []), `127.0.0.1:${load.relayPort}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(source, 'exit');
  const accepted = performance.now();
  while (arrived < load.messages && performance.now() - accepted < drainMs) await pause(20);
  sink.kill();
  await ended;
  return {
    acceptedPerSecond: (load.messages / (accepted - start)) * 1000,
    deliveredPerSecond: (arrived / (last - start)) * 1000,
    arrived,
  };
}

async function reachable(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    await pause(20);
  }
}
