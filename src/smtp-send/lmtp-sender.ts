import type { Clock, SessionIds } from '../base/index.ts';
import type { Journal } from '../logs/index.ts';
import type { ConnectionResult, Deliverer, DeliveryWork } from '../queue/index.ts';
import { ConnectionLost } from './connection/connection-lost.ts';
import { EdgeSmtpConnection } from './connection/edge-smtp-connection.ts';
import { openSocket } from './connection/open-socket.ts';
import { type PhaseTimeouts, rfcTimeouts } from './connection/phase-timeouts.ts';
import { SessionLog } from './connection/session-log.ts';
import { conversionFacts } from './content/fitted-item.ts';
import { Courier } from './courier.ts';

/** Where an LMTP server listens: a Unix socket or an address. */
export type LmtpTarget = { readonly path: string } | { readonly host: string; readonly port: number };

export interface LmtpParts {
  readonly journal: Journal;
  readonly sessions: SessionIds;
  readonly clock: Clock;
}

export interface LmtpOptions {
  /** Name in LHLO. */
  readonly name: string;
  readonly timeouts?: Partial<PhaseTimeouts>;
  /** How long a connection without work is kept, in milliseconds. Default 5,000. */
  readonly idleMs?: number;
}

/**
 * Delivers over LMTP (RFC 2033), as to Dovecot. Meant for a server on the same machine or network: it uses no TLS, and every
 * recipient has a final answer of its own.
 */
export class LmtpSender implements Deliverer {
  readonly #target: LmtpTarget;
  readonly #parts: LmtpParts;
  readonly #options: LmtpOptions;
  readonly #timeouts: PhaseTimeouts;

  constructor(target: LmtpTarget, parts: LmtpParts, options: LmtpOptions) {
    this.#target = target;
    this.#parts = parts;
    this.#options = options;
    this.#timeouts = { ...rfcTimeouts, ...options.timeouts };
  }

  async deliver(work: DeliveryWork): Promise<ConnectionResult> {
    const { clock, journal, sessions } = this.#parts;
    const log = new SessionLog(journal, clock, sessions.next());
    const name = 'path' in this.#target ? this.#target.path : `${this.#target.host}:${this.#target.port}`;
    try {
      const connection = await this.#open(work.signal);
      log.tell('connection-opened', { hop: work.hop.key, host: name, remote: name, local: '' });
      const courier = new Courier(connection, {
        idleMs: this.#options.idleMs ?? 5_000,
        maxMessages: Number.POSITIVE_INFINITY,
        remote: name,
        onChange: (item, changes) => log.tell('content-converted', conversionFacts(name, changes), item.message.id),
      });
      const { messages, tried, bytes, loss } = await courier.carry(work);
      log.tell('connection-closed', { hop: work.hop.key, host: name, messages, bytes });
      if (loss === undefined || messages > 0 || !tried || loss.kind === 'aborted') return { kind: 'done' };
      throw loss;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      log.tell('connection-failed', { hop: work.hop.key, host: name, reason: error.message });
      const words = error.reply === undefined ? error.message : `${error.message}: "${error.reply}"`;
      return { kind: 'failed', reply: `451 4.4.1 No usable connection to the LMTP server ${name}: ${words}` };
    }
  }

  /** Rejects with ConnectionLost. */
  async #open(signal: AbortSignal): Promise<EdgeSmtpConnection> {
    const { clock } = this.#parts;
    const target = this.#target;
    const where = 'path' in target ? { path: target.path } : { host: target.host, port: target.port };
    const socket = await openSocket(where, { timeoutMs: this.#timeouts.connectMs, clock, signal });
    const connection = new EdgeSmtpConnection({
      socket,
      host: 'path' in target ? target.path : target.host,
      helloName: this.#options.name,
      protocol: 'LMTP',
      forceHelo: false,
      startTls: 'never',
      timeouts: this.#timeouts,
      clock,
    });
    await connection.open(signal);
    return connection;
  }
}
