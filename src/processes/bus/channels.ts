/**
 * The two ways between the supervisor and a process. Down goes the runtime's own channel, because it carries sockets. Up goes a
 * pipe of JSON lines that the supervisor reads with a bound: what a process says that was broken into must not fill root's memory.
 */
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { LineCutter } from '../../base/index.ts';
import type { Channel } from './bus.ts';
import { watchOwnChannel } from './own-channel.ts';

/** The descriptor on which a process speaks to its supervisor: behind standard input, output, error and the runtime's channel. */
export const upwardDescriptor = 4;

/** Longest line that the supervisor takes, in octets: a worker's answer about 100,000 messages fits. */
const longestLine = 128 * 1024 ** 2;

/** Most octets that wait for a process which reads nothing: the answers of its siblings about all their messages fit. */
const mostUnsent = 256 * 1024 ** 2;

/** Hears that a process says what no process of ours would say. */
export type OnBreach = (reason: string) => void;

/** Hands over the JSON value of each line. A line that is too long or no JSON is not one of ours: `onBreach` is called and nothing more is read. */
export function readJsonLines(
  stream: Readable,
  take: (value: unknown, octets: number) => void,
  onBreach: OnBreach,
  most = longestLine,
): void {
  const cutter = new LineCutter();
  let broken = false;
  stream.on('data', (chunk: Buffer) => {
    if (broken) return;
    try {
      for (const line of cutter.lines(chunk, () => most)) take(parsed(line), line.length);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      broken = true;
      stream.destroy();
      onBreach(error.message);
    }
  });
  stream.on('error', () => {
    // The process ended; its exit says so.
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError('it said something that is no JSON');
  }
}

/** The supervisor's end of the way to a child. */
export function channelToChild(child: ChildProcess, onBreach: OnBreach, most = mostUnsent): Channel {
  const upward = child.stdio[upwardDescriptor] as Readable;
  const sockets = watchOwnChannel(child, onBreach);
  let unsent = 0;
  return {
    send: (message, handle) => {
      if (unsent > most) return onBreach('it does not read what it is told');
      const octets = JSON.stringify(message).length;
      unsent += octets;
      if (handle !== undefined) sockets.sent();
      child.send(message as object, handle as never, { keepOpen: true }, () => (unsent -= octets));
    },
    onMessage: (listener) => readJsonLines(upward, (value, octets) => listener(value, undefined, octets), onBreach),
  };
}

/** A process's end of the way to its supervisor. Throws when it was not started by one. */
export function channelToParent(): Channel {
  if (process.send === undefined) throw new Error('this process has no parent to talk to');
  const upward = new Socket({ fd: upwardDescriptor, readable: false, writable: true });
  // Nobody reads any more: the end of the channel ends this process as well.
  upward.on('error', () => {});
  upward.unref();
  return {
    send: (message) => void upward.write(`${JSON.stringify(message)}\n`),
    onMessage: (listener) => void process.on('message', listener),
  };
}

/** Both ends in one process: what a test puts between a supervisor's side and a service's. */
export function channelPair(): readonly [Channel, Channel] {
  const listeners: ((message: unknown, handle: unknown) => void)[][] = [[], []];
  const end = (mine: 0 | 1): Channel => ({
    send: (message, handle) => {
      // As it would arrive through a pipe: a copy, and later.
      const copy: unknown = JSON.parse(JSON.stringify(message));
      queueMicrotask(() => listeners[1 - mine]?.forEach((listener) => listener(copy, handle)));
    },
    onMessage: (listener) => void listeners[mine]?.push(listener),
  });
  return [end(0), end(1)];
}
