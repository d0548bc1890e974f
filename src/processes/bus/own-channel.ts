/**
 * The runtime's own channel to a child carries sockets down. Up, the runtime reads it without a bound, takes descriptors from it,
 * and throws at what it cannot parse, all in root's process. So nothing passes but what a child of ours says there: that it has the
 * socket which it was sent.
 */
import type { ChildProcess } from 'node:child_process';

/** What the runtime of a child says when a socket has come. */
const taken = Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\n');

/** The runtime's pipe. `onread` is called with what was read, `pendingHandle` is the descriptor that came with it. */
interface Pipe {
  pendingHandle: { close(): void } | null;
  onread: (this: Pipe, octets: ArrayBuffer | undefined) => void;
  readStop(): void;
}

/** Counts the sockets that a child was sent: it may say of each that it has come. */
export interface SentSockets {
  sent(): void;
}

/** Ends the reading, and calls `onBreach`, when a child says anything else on the runtime's channel. Throws TypeError when the runtime has no such pipe any more. */
export function watchOwnChannel(child: ChildProcess, onBreach: (reason: string) => void): SentSockets {
  const pipe = pipeOf(child);
  const read = pipe.onread;
  let awaited = 0;
  let at = 0;
  let broken = false;
  const isOurs = (octets: Buffer): boolean => {
    for (const octet of octets) {
      if (awaited === 0 || octet !== taken[at]) return false;
      at = (at + 1) % taken.length;
      if (at === 0) awaited -= 1;
    }
    return true;
  };
  pipe.onread = function (octets) {
    if (broken) return this.pendingHandle?.close();
    if (octets === undefined || (this.pendingHandle === null && isOurs(Buffer.from(octets))))
      return read.call(this, octets);
    broken = true;
    this.pendingHandle?.close();
    this.pendingHandle = null;
    this.readStop();
    onBreach("it speaks on the channel that is the runtime's own");
  };
  return { sent: () => void (awaited += 1) };
}

function pipeOf(child: ChildProcess): Pipe {
  const name = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
  const pipe = name === undefined ? undefined : (child as unknown as Record<symbol, Pipe | undefined>)[name];
  if (typeof pipe?.onread !== 'function' || typeof pipe.readStop !== 'function')
    throw new TypeError(`this runtime (${process.version}) has no channel to a child that could be watched`);
  return pipe;
}
