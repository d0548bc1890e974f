/** Octets on their way to one client: few writes, in order, and a bound on what waits for a slow reader. */
import type { Socket } from 'node:net';

const flushBytes = 64 * 1024;
const nothing = Buffer.alloc(0);

export interface OutboxLimits {
  /** Octets waiting in the socket from which on `room` makes senders wait. */
  readonly maxUnsentBytes: number;
  /** Time the reader may take nothing before the socket is destroyed. */
  readonly stallMs: number;
}

export class Outbox {
  readonly #socket: Socket;
  readonly #limits: OutboxLimits;
  #parts: Buffer[] = [];
  #size = 0;
  #scheduled = false;
  #drained: Promise<void> | undefined;

  constructor(socket: Socket, limits: OutboxLimits) {
    this.#socket = socket;
    this.#limits = limits;
  }

  /** Sends at the end of this turn of the event loop, together with what else comes until then. */
  write(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= flushBytes) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(() => this.flush());
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#size === 0) return;
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Undefined when there is room; else a promise for the moment the client has read on, or is gone. */
  room(): Promise<void> | undefined {
    const most = this.#limits.maxUnsentBytes;
    if (this.#socket.writableLength < most || this.#socket.destroyed) return undefined;
    this.#drained ??= this.#waitForDrain();
    return this.#drained;
  }

  #waitForDrain(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve) => {
      let unsent = socket.writableLength;
      const watch = setInterval(() => {
        if (socket.writableLength >= unsent) socket.destroy(new Error('the client reads nothing'));
        unsent = socket.writableLength;
      }, this.#limits.stallMs);
      watch.unref();
      const done = (): void => {
        clearInterval(watch);
        socket.off('drain', done);
        socket.off('close', done);
        this.#drained = undefined;
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
      // There is a drain only behind the runtime's own mark; an empty write ends behind everything before it.
      if (!socket.writableNeedDrain) socket.write(nothing, done);
    });
  }
}
