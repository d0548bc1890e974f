import { constants } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsRecord } from '../../tls/wire/index.ts';
import { Untested } from '../facts/untested.ts';
import type { Channel } from './mail-dialogue.ts';
import type { ProbeConnection, Read } from './probe-connection.ts';
import { RecordTap } from './record-tap.ts';

export interface SecureOptions {
  readonly host: string;
  readonly stepMs: number;
  readonly maxVersion?: 'TLSv1.2';
  /** Shown every record that the server sends. */
  readonly onRecord?: (record: TlsRecord) => void;
}

/** How long a server may take to begin a renegotiation, or to refuse it, in milliseconds. */
const renegotiationMs = 3000;

/**
 * TLS by OpenSSL over a connection that is ready for it: for what lies inside, and for renegotiation. It takes every
 * certificate and the oldest versions and suites that OpenSSL still knows; nothing but test traffic passes here.
 */
export class SecureChannel implements Channel {
  readonly socket: TLSSocket;
  #held: Buffer[] = [];
  #left: 'end' | 'reset' | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (octets: Buffer) => {
      this.#held.push(octets);
      this.#wake?.();
    });
    socket.on('end', () => this.#leave('end'));
    socket.on('error', () => this.#leave('reset'));
    socket.on('close', () => this.#leave('reset'));
  }

  /** Throws Untested where the handshake does not come about in time. */
  static open(connection: ProbeConnection, options: SecureOptions): Promise<SecureChannel> {
    const { host, stepMs, maxVersion, onRecord } = options;
    const { promise, resolve, reject } = Promise.withResolvers<SecureChannel>();
    const bare = connection.release();
    const socket = connect({
      socket: onRecord === undefined ? bare : new RecordTap(bare, onRecord),
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
      // A server without RFC 5746 is looked at as well.
      secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
      ...(maxVersion === undefined ? {} : { maxVersion }),
      ...(host === '' ? {} : { servername: host }),
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Untested(`no handshake within ${stepMs / 1000} s`));
    }, stepMs);
    socket.once('secureConnect', () => {
      socket.removeAllListeners('error');
      resolve(new SecureChannel(socket));
    });
    socket.once('error', (error: NodeJS.ErrnoException & { readonly reason?: string }) =>
      reject(new Untested(`OpenSSL's handshake failed: ${reasonOf(error)}`, false)),
    );
    return promise.finally(() => clearTimeout(timer));
  }

  #leave(how: 'end' | 'reset'): void {
    this.#left ??= how;
    this.#wake?.();
  }

  write(octets: Buffer | string): void {
    if (this.socket.writable) this.socket.write(octets);
  }

  async read(timeoutMs: number): Promise<Read> {
    if (this.#held.length === 0 && this.#left === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = resolve;
      await promise.finally(() => clearTimeout(timer));
      this.#wake = undefined;
    }
    if (this.#held.length > 0) return Buffer.concat(this.#held.splice(0));
    return this.#left ?? 'silence';
  }

  unread(octets: Buffer): void {
    if (octets.length > 0) this.#held.unshift(octets);
  }

  /**
   * Asks for a renegotiation (TLS 1.2 and older): true when the server takes part. OpenSSL says nothing of the warning that
   * refuses it: `refused` resolves when the server sent an alert. One that neither refuses nor begins does not take part.
   */
  renegotiate(refused: Promise<unknown>): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), renegotiationMs);
    void refused.then(() => resolve(false));
    this.socket.once('close', () => resolve(false));
    if (this.socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error === null)) === false)
      resolve(false);
    return promise.finally(() => clearTimeout(timer));
  }

  [Symbol.dispose](): void {
    this.socket.on('error', () => undefined);
    this.socket.destroy();
  }
}

/** OpenSSL's words alone: the whole message holds numbers of this process. */
function reasonOf({ reason, code, message }: NodeJS.ErrnoException & { readonly reason?: string }): string {
  return reason ?? code ?? message;
}
