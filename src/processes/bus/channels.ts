/**
 * The two ways between the supervisor and a process. Down goes the runtime's own channel, because it carries sockets. Up goes a
 * pipe of JSON lines that the supervisor reads with a bound: what a process says that was broken into must not fill root's memory.
 */
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Channel } from './bus.ts';

/** The descriptor on which a process speaks to its supervisor: behind standard input, output, error and the runtime's channel. */
export const upwardDescriptor = 4;

/** Longest line that the supervisor takes, in octets: a worker's answer about 100,000 messages fits. */
const longestLine = 128 * 1024 ** 2;

/** Hands over the JSON value of each line. A line that is too long or no JSON is not one of ours: `onBreach` is called and nothing more is read. */
export function readJsonLines(
  stream: Readable,
  take: (value: unknown) => void,
  onBreach: (reason: string) => void,
  most = longestLine,
): void {
  let parts: Buffer[] = [];
  let length = 0;
  let broken = false;
  const breach = (reason: string): void => {
    broken = true;
    parts = [];
    stream.destroy();
    onBreach(reason);
  };
  stream.on('data', (chunk: Buffer) => {
    for (let rest = chunk; !broken && rest.length > 0; ) {
      const end = rest.indexOf(0x0a);
      const piece = end < 0 ? rest : rest.subarray(0, end);
      length += piece.length;
      if (length > most) return breach(`it said more than ${most} octets in one line`);
      if (piece.length > 0) parts.push(piece);
      if (end < 0) return;
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      rest = rest.subarray(end + 1);
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return breach('it said something that is no JSON');
      }
      take(value);
    }
  });
  stream.on('error', () => {
    // The process ended; its exit says so.
  });
}

/** The supervisor's end of the way to a child. */
export function channelToChild(child: ChildProcess, onBreach: (reason: string) => void): Channel {
  const upward = child.stdio[upwardDescriptor] as Readable;
  // What comes by the runtime's own channel is never looked at: it is read without a bound.
  return {
    send: (message, handle) => void child.send(message as object, handle as never, { keepOpen: true }, () => {}),
    onMessage: (listener) => readJsonLines(upward, (value) => listener(value, undefined), onBreach),
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
