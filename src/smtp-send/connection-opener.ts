import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../base/index.ts';
import { describeTls, judgePeer, type PeerFacts, type PeerVerdict, readCertificate } from '../tls/index.ts';
import { ConnectionLost } from './connection-lost.ts';
import { type ConnectionSettings, EdgeSmtpConnection } from './edge-smtp-connection.ts';
import { HostMemory } from './host-memory.ts';
import { openSocket } from './open-socket.ts';
import type { SendRoute } from './send-route.ts';
import type { SessionLog } from './session-log.ts';
import type { Target } from './target-finder.ts';

/** How long a host that broke a handshake is spared another one, in milliseconds. */
const clearSpanMs = 10 * 60_000;
/** Peers whose TLS session is kept at most. */
const mostSessions = 1_000;

export interface OpenConnection {
  readonly connection: EdgeSmtpConnection;
  readonly local: string;
  /** 'ip:port' */
  readonly remote: string;
  /** Ends the protocol log of the connection. */
  readonly ended: (reason: string) => void;
}

/** Brings a connection to a target up to the point where MAIL may be said, with the TLS that the route demands. */
export class ConnectionOpener {
  readonly #clock: Clock;
  readonly #tls: ConnectionOptions;
  /** Hosts whose STARTTLS does not work. */
  readonly #clearHosts: HostMemory;
  /** Last TLS session by host name and 'ip:port': resuming it spares both sides the costly part of the handshake. */
  readonly #sessions = new Map<string, Buffer>();
  /** In a resumed session no certificate is shown again: what was seen first still holds. */
  readonly #seen = new Map<string, PeerFacts>();

  constructor(clock: Clock, tls: ConnectionOptions) {
    this.#clock = clock;
    this.#tls = tls;
    this.#clearHosts = new HostMemory(clock, clearSpanMs);
  }

  /** Rejects with ConnectionLost. */
  async open(target: Target, route: SendRoute, log: SessionLog, signal: AbortSignal): Promise<OpenConnection> {
    const key = `${target.address}:${target.port}`;
    const optional = route.tls.level === 'opportunistic';
    const startTls =
      route.tls.level === 'none' || (optional && this.#clearHosts.has(key))
        ? 'never'
        : optional
          ? 'when-offered'
          : 'required';
    try {
      return await this.#open(target, route, log, signal, startTls);
    } catch (error) {
      if (!(error instanceof ConnectionLost) || error.kind !== 'tls') throw error;
      const reason = error.reply ?? error.message;
      log.tell('tls-failed', {
        direction: 'send',
        reason,
        consequence: optional ? 'trying again without TLS' : 'the message waits, the connector demands TLS',
      });
      if (!optional)
        throw new ConnectionLost('tls', `TLS is required and was not reached: ${reason}`, undefined, { cause: error });
      this.#clearHosts.remember(key);
      this.#sessions.delete(sessionKey(target));
      return await this.#open(target, route, log, signal, 'never');
    }
  }

  async #open(
    target: Target,
    route: SendRoute,
    log: SessionLog,
    signal: AbortSignal,
    startTls: ConnectionSettings['startTls'],
  ): Promise<OpenConnection> {
    const { timeouts } = route;
    const where = {
      host: target.address,
      port: target.port,
      ...(route.localAddress && { localAddress: route.localAddress }),
    };
    const socket = await openSocket(where, { timeoutMs: timeouts.connectMs, clock: this.#clock, signal });
    const local = endpoint(socket.localAddress, socket.localPort);
    const remote = endpoint(target.address, target.port);
    const conversation = route.verbose ? log.conversation(route.connector, local, remote) : undefined;
    const ended = (reason: string): void => conversation?.ended(reason);
    const connection = new EdgeSmtpConnection({
      socket,
      host: target.host,
      ...(target.serverName !== undefined && { serverName: target.serverName }),
      helloName: route.helloName,
      protocol: 'SMTP',
      forceHelo: route.forceHelo,
      startTls,
      ...this.#resumption(target, route),
      timeouts,
      clock: this.#clock,
      observer: conversation,
    });
    try {
      await connection.open(signal);
      this.#judge(connection, target, route, log);
      return { connection, local, remote, ended };
    } catch (error) {
      ended(error instanceof Error ? error.message : 'failed');
      throw error;
    }
  }

  /** A route that asks for a trusted certificate sees it checked each time. */
  #resumption(target: Target, route: SendRoute): Pick<ConnectionSettings, 'tls' | 'onTlsSession'> {
    if (route.tls.level !== 'opportunistic' && route.tls.level !== 'encryption') return { tls: this.#tls };
    const key = sessionKey(target);
    const session = this.#sessions.get(key);
    return {
      tls: session === undefined ? this.#tls : { ...this.#tls, session },
      onTlsSession: (ticket) => {
        if (this.#sessions.size >= mostSessions) this.#sessions.clear();
        this.#sessions.set(key, ticket);
      },
    };
  }

  #factsOf(socket: TLSSocket, target: Target): PeerFacts {
    const key = sessionKey(target);
    const known = socket.isSessionReused() ? this.#seen.get(key) : undefined;
    if (known !== undefined) return known;
    const facts = factsOf(socket);
    if (this.#seen.size >= mostSessions) this.#seen.clear();
    this.#seen.set(key, facts);
    return facts;
  }

  /** Throws ConnectionLost when what was reached is less than what the route demands. */
  #judge(connection: EdgeSmtpConnection, target: Target, route: SendRoute, log: SessionLog): void {
    const { socket } = connection;
    if (!(socket instanceof TLSSocket)) {
      if (route.tls.level === 'none' || route.tls.level === 'opportunistic') return;
      connection.abandon('TLS is required and was not reached');
      throw new ConnectionLost('tls', 'TLS is required and was not reached');
    }
    const verdict: PeerVerdict = judgePeer(route.tls, this.#factsOf(socket, target));
    if (!verdict.acceptable) {
      connection.abandon(verdict.reason);
      log.tell('tls-failed', { direction: 'send', reason: verdict.reason, consequence: 'the message waits' });
      throw new ConnectionLost(
        'refused',
        `the certificate does not do: ${verdict.reason}`,
        `454 4.7.5 Certificate validation failure: ${verdict.reason}`,
      );
    }
    const { protocol, cipher } = describeTls({ protocol: socket.getProtocol() ?? '', ...cipherOf(socket) });
    log.tell('tls-reached', { direction: 'send', protocol, cipher, level: verdict.reached, peer: target.host });
  }
}

function sessionKey({ host, address, port }: Target): string {
  return `${host} ${address}:${port}`;
}

function cipherOf(socket: TLSSocket): { cipher: string; standardName: string } {
  const { name, standardName } = socket.getCipher();
  return { cipher: name, standardName };
}

/**
 * Once for each connection: Node 24 hands out the peer's certificate only the first time it is asked.
 * The chain is OpenSSL's judgement; names are ours, nothing is checked in the handshake itself.
 */
function factsOf(socket: TLSSocket): PeerFacts {
  const chainError: unknown = socket.authorizationError;
  const shown = socket.getPeerX509Certificate();
  const reason = chainError instanceof Error ? chainError.message : typeof chainError === 'string' ? chainError : '';
  const facts = { encrypted: true, chainError: socket.authorized ? '' : reason || 'unknown fault' };
  if (shown === undefined) return facts;
  try {
    return { ...facts, certificate: readCertificate(shown.raw) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // OpenSSL took what we cannot read: it stands for no name.
    return { ...facts, certificate: { dnsNames: [], commonName: '' } };
  }
}

/** 'address:port', IPv6 in brackets. */
export function endpoint(address: Socket['remoteAddress'], port: number | undefined): string {
  if (address === undefined) return '';
  return isIP(address) === 6 ? `[${address}]:${port ?? 0}` : `${address}:${port ?? 0}`;
}
