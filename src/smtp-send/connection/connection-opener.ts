import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../base/index.ts';
import type { Target } from '../dns/target-finder.ts';
import type { ConnectionManner } from './connection-manner.ts';
import { EdgeSmtpConnection } from './edge-smtp-connection.ts';
import { openSocket } from './open-socket.ts';
import type { SendRoute } from './send-route.ts';
import type { SessionLog } from './session-log.ts';

export interface OpenConnection {
  readonly connection: EdgeSmtpConnection;
  readonly local: string;
  /** 'ip:port' */
  readonly remote: string;
  /** The peer proved to be a server of the organization. */
  readonly isInternal?: boolean;
  /** Ends the protocol log of the connection. */
  readonly ended: (reason: string) => void;
}

/** What one connection is opened with. */
export interface OpeningWish {
  readonly target: Target;
  readonly route: SendRoute;
  readonly manner: ConnectionManner;
  readonly tls: ConnectionOptions;
  /** Name for SNI; absent: that of the target. */
  readonly serverName?: string | undefined;
  /** Hears of sessions that a later connection to the same peer can resume. */
  readonly onTlsSession?: (ticket: Buffer) => void;
}

/** Opens one connection to one address up to the point where MAIL may be said. It judges nothing and tries nothing twice. */
export class ConnectionOpener {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rejects with ConnectionLost. */
  async open(wish: OpeningWish, log: SessionLog, signal: AbortSignal): Promise<OpenConnection> {
    const { target, route, manner, tls, onTlsSession, serverName = target.serverName } = wish;
    const where = {
      host: target.address,
      port: target.port,
      ...(route.localAddress && { localAddress: route.localAddress }),
    };
    const limits = { timeoutMs: route.timeouts.connectMs, clock: this.#clock, signal };
    const socket = await openSocket(where, limits);
    const local = endpoint(socket.localAddress, socket.localPort);
    const remote = endpoint(target.address, target.port);
    const conversation = route.verbose ? log.conversation(route.connector, local, remote) : undefined;
    const ended = (reason: string): void => conversation?.ended(reason);
    const connection = new EdgeSmtpConnection({
      socket,
      host: target.host,
      ...(serverName !== undefined && { serverName }),
      helloName: route.helloName,
      protocol: 'SMTP',
      forceHelo: manner.helo,
      startTls: manner.startTls,
      tls,
      onTlsSession,
      timeouts: route.timeouts,
      clock: this.#clock,
      observer: conversation,
    });
    try {
      await connection.open(signal);
      return { connection, local, remote, ended };
    } catch (error) {
      ended(error instanceof Error ? error.message : 'failed');
      throw error;
    }
  }
}

/** 'address:port', IPv6 in brackets. */
function endpoint(address: Socket['remoteAddress'], port: number | undefined): string {
  if (address === undefined) return '';
  return isIP(address) === 6 ? `[${address}]:${port ?? 0}` : `${address}:${port ?? 0}`;
}
