import { connect, type Socket } from 'node:net';
import { Unreachable } from '../facts/untested.ts';

/** What a read ended with: octets, or how the peer left. */
export type Read = Buffer | 'end' | 'reset' | 'silence';

/** Most octets that wait to be read: a peer that sends faster is stopped by TCP. */
const maxHeldBytes = 262_144;

/** One TCP connection to an endpoint, read by octets with a limit of time at every step. */
export class ProbeConnection {
  readonly socket: Socket;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #left: 'end' | 'reset' | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', this.#data);
    socket.on('end', () => this.#leave('end'));
    socket.on('error', () => this.#leave('reset'));
    socket.on('close', () => this.#leave('reset'));
  }

  /** Throws Untested where no connection comes about in time. */
  static open(address: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<ProbeConnection>();
    const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Unreachable(reason));
    };
    const timer = setTimeout(() => fail(`no connection within ${timeoutMs / 1000} s`), timeoutMs);
    const abort = (): void => fail('the time limit of the endpoint was reached');
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) => fail(`no connection: ${error.code ?? error.message}`));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(new ProbeConnection(socket));
    });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  }

  readonly #data = (octets: Buffer): void => {
    this.#held.push(octets);
    this.#heldBytes += octets.length;
    if (this.#heldBytes > maxHeldBytes) this.socket.pause();
    this.#wake?.();
  };

  #leave(how: 'end' | 'reset'): void {
    this.#left ??= how;
    this.#wake?.();
  }

  write(octets: Buffer | string): void {
    if (this.socket.writable) this.socket.write(octets);
  }

  /** All octets that are there, or the next ones that come. */
  async read(timeoutMs: number): Promise<Read> {
    if (this.#heldBytes === 0 && this.#left === undefined) await this.#somethingOr(timeoutMs);
    if (this.#heldBytes > 0) return this.#take();
    return this.#left ?? 'silence';
  }

  #somethingOr(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#wake = resolve;
    return promise.finally(() => {
      clearTimeout(timer);
      this.#wake = undefined;
    });
  }

  #take(): Buffer {
    const octets = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.socket.resume();
    return octets;
  }

  /** Puts octets back: they were read too far. */
  unread(octets: Buffer): void {
    if (octets.length === 0) return;
    this.#held.unshift(octets);
    this.#heldBytes += octets.length;
  }

  /** Hands the socket to somebody else, with what was not read. */
  release(): Socket {
    this.socket.removeAllListeners('data');
    this.socket.pause();
    if (this.#heldBytes > 0) this.socket.unshift(Buffer.concat(this.#held));
    return this.socket;
  }

  [Symbol.dispose](): void {
    this.socket.removeAllListeners('data');
    this.socket.on('error', () => undefined);
    this.socket.destroy();
  }
}
