import { Untested } from '../facts/untested.ts';
import type { Endpoint, Manners } from './endpoint.ts';
import { startLdapTls } from './ldap-dialogue.ts';
import { greet, type Hello, say } from './mail-dialogue.ts';
import { ProbeConnection } from './probe-connection.ts';

/** Opens connections to one endpoint, one after the other, counted, with the pauses that manners ask for. */
export class Dialer {
  readonly endpoint: Endpoint;
  readonly manners: Manners;
  readonly signal: AbortSignal;
  /** Connections opened so far. */
  connections = 0;
  #last = Number.NEGATIVE_INFINITY;

  constructor(endpoint: Endpoint, manners: Manners, signal: AbortSignal) {
    this.endpoint = endpoint;
    this.manners = manners;
    this.signal = signal;
  }

  /** A bare connection. Throws Untested. */
  async open(): Promise<ProbeConnection> {
    if (this.signal.aborted) throw new Untested('the time limit of the endpoint was reached', false);
    await this.pause(this.#last + this.manners.pauseMs - performance.now());
    this.connections++;
    try {
      const { address, port } = this.endpoint;
      return await ProbeConnection.open(address, port, this.manners.stepMs, this.signal);
    } finally {
      this.#last = performance.now();
    }
  }

  /** A connection on which the next octet is the first of TLS. Throws Untested. */
  async openForTls(): Promise<ProbeConnection> {
    const connection = await this.open();
    try {
      await this.#startTls(connection);
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  async #startTls(connection: ProbeConnection): Promise<void> {
    if (this.endpoint.protocol === 'ldap') return startLdapTls(connection, this.manners.stepMs);
    if (!this.startsInClear) return;
    const { capabilities } = await this.greet(connection);
    if (!capabilities.some((line) => line.split(' ')[0] === 'STARTTLS')) {
      throw new Untested('STARTTLS is not offered', false);
    }
    const reply = await say(connection, 'STARTTLS', this.manners.stepMs);
    if (reply.code !== 220)
      throw new Untested(`STARTTLS was answered ${reply.code} ${reply.lines[0] ?? ''}`, reply.code < 500);
  }

  /** Greeting and EHLO in the clear. */
  greet(connection: ProbeConnection): Promise<Hello> {
    const { ehloName, stepMs } = this.manners;
    return greet(connection, this.verb, ehloName, stepMs);
  }

  get verb(): 'EHLO' | 'LHLO' {
    return this.endpoint.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  }

  /** Mail is spoken before TLS. */
  get startsInClear(): boolean {
    return this.endpoint.protocol === 'smtp' || this.endpoint.protocol === 'lmtp';
  }

  /** Waits so many milliseconds; rejects when all is stopped. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const abort = (): void => reject(new Untested('the time limit of the endpoint was reached', false));
    this.signal.addEventListener('abort', abort, { once: true });
    await promise.finally(() => {
      clearTimeout(timer);
      this.signal.removeEventListener('abort', abort);
    });
  }

  /** Does something until it is clear, with growing pauses; throws the last Untested. */
  async untilClear<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Untested) || !error.passing || attempt >= this.manners.tries) throw error;
        await this.pause(this.manners.retryPauseMs * 2 ** (attempt - 1));
      }
    }
  }
}
