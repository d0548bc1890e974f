/** Many hostile senders at once: they send what they are given, open again what is closed, and hold what they have at the end. */
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How a sender comes to the point where it attacks. */
export type Phase = 'clear' | 'TLS';

export interface Attack {
  /** A port of 127.0.0.1, or the path of a socket. */
  readonly to: number | string;
  readonly phase: Phase;
  /** Addresses of 127.0.0.0/8 that the senders come from, in turn; of no use for a path. */
  readonly from?: readonly string[];
  /** Asks for TLS in the clear, and resolves when it may begin. Absent: TLS begins at once. */
  readonly before?: (socket: Socket) => Promise<void>;
  readonly connections: number;
  /** What one sender sends, again and again; undefined: it only connects. */
  readonly payload?: () => Buffer;
  /** It reads no answer. */
  readonly deaf?: boolean;
  /** What it sends first on each connection. */
  readonly greeting?: Buffer;
  /** Octets handed to the socket at a time. Default: all. */
  readonly pieceBytes?: number;
  /** Octets that all of them send in all; a sender that has no more to send holds its connection. */
  readonly totalBytes: number;
  /** They send no longer than this, in milliseconds. */
  readonly limitMs: number;
}

/** Time without progress after which a sender tries another connection, in milliseconds. */
const stuckMs = 2000;

export class Crowd implements Disposable {
  readonly #attack: Attack;
  readonly #sockets = new Set<Socket>();
  #end = Number.POSITIVE_INFINITY;
  #disposed = false;
  /** Octets sent, before TLS. */
  sent = 0;
  /** Connections opened. */
  opened = 0;

  constructor(attack: Attack) {
    this.#attack = attack;
  }

  /** Sends everything; resolves when it is sent or the time is over. Connections stay open. */
  async run(): Promise<void> {
    const { connections, limitMs } = this.#attack;
    this.#end = performance.now() + limitMs;
    await Promise.all(Array.from({ length: connections }, (_, i) => this.#sender(i)));
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  get #over(): boolean {
    return this.#disposed || this.sent >= this.#attack.totalBytes || performance.now() > this.#end;
  }

  async #sender(number: number): Promise<void> {
    const { from = ['127.0.0.1'], payload, greeting } = this.#attack;
    do {
      const socket = await this.#open(from[number % from.length] ?? '127.0.0.1');
      if (socket === undefined) continue;
      if (payload === undefined) {
        await this.#settled(socket, this.#end - performance.now());
        continue;
      }
      if (greeting !== undefined) socket.write(greeting);
      let goesOn = true;
      while (goesOn && !this.#over) goesOn = await this.#send(socket, payload());
      // Held while others still send; given up where nothing can be sent on it.
      if (!this.#over) socket.destroy();
    } while (!this.#over);
  }

  async #open(localAddress: string): Promise<Socket | undefined> {
    const { to, phase, before, deaf = false } = this.#attack;
    const where = typeof to === 'string' ? { path: to } : { port: to, host: '127.0.0.1', localAddress, noDelay: true };
    const plain = connectPlain(where);
    this.opened += 1;
    this.#keep(plain);
    if (!(await this.#settled(plain, stuckMs, 'connect'))) return undefined;
    if (before !== undefined && !(await this.#prepared(plain, before))) return undefined;
    if (phase === 'clear') return deaf ? plain.pause() : plain.resume();
    const secure = connectTls({ socket: plain, rejectUnauthorized: false });
    // Destroyed by its TLS alone: the socket below first, then its TLS, within an event of TLS (secureConnect, session, keylog), ends
    // Node.js 24.21 by SIGSEGV.
    this.#sockets.delete(plain);
    this.#keep(secure);
    return (await this.#settled(secure, stuckMs, 'secureConnect')) ? secure.resume() : undefined;
  }

  /** False when the other side ended it, or did not answer in time. */
  async #prepared(socket: Socket, before: (socket: Socket) => Promise<void>): Promise<boolean> {
    const done = before(socket).then(
      () => true,
      () => false,
    );
    const ended = this.#settled(socket, stuckMs);
    return Promise.race([done, ended]);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** False when the other side ended it, or takes nothing. */
  async #send(socket: Socket, octets: Buffer): Promise<boolean> {
    const { pieceBytes = octets.length } = this.#attack;
    for (let at = 0; at < octets.length && !this.#over; at += pieceBytes) {
      if (!socket.writable) return false;
      const piece = octets.subarray(at, at + pieceBytes);
      this.sent += piece.length;
      const flows = socket.write(piece);
      if (!flows && !(await this.#settled(socket, stuckMs, 'drain'))) return false;
      // Each piece a packet of its own, and a turn for the others.
      if (flows) await new Promise((resume) => setImmediate(resume));
    }
    return socket.writable;
  }

  /** True when the event came; false when the connection closed or the time went by. */
  async #settled(socket: Socket, ms: number, event?: 'connect' | 'data' | 'drain' | 'secureConnect'): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const yes = (): void => resolve(true);
    const no = (): void => resolve(false);
    const timer = setTimeout(no, Math.max(0, ms));
    if (event !== undefined) socket.once(event, yes);
    socket.once('close', no);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      if (event !== undefined) socket.removeListener(event, yes);
      socket.removeListener('close', no);
    }
  }
}

/** Says lines one after the other, each when the other side has answered the one before; `first`: it speaks first. */
export function saying(lines: readonly (string | Buffer)[], first: 'they' | 'we'): (socket: Socket) => Promise<void> {
  return async (socket) => {
    if (first === 'they') await once(socket, 'data');
    for (const line of lines) {
      socket.write(line);
      await once(socket, 'data');
    }
  };
}

/** So many addresses of 127.0.0.0/8 that no other sender of the run uses. */
export function addresses(net: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `127.66.${net}.${i + 1}`);
}
