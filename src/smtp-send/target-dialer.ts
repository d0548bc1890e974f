import { type ConnectionOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../base/index.ts';
import {
  describePolicy,
  judgeTarget,
  needsCertificate,
  type PeerIdentity,
  startTlsOf,
  type TargetTlsPolicy,
} from '../tls/index.ts';
import { ConnectionLost } from './connection-lost.ts';
import { type ConnectionManner, fallBackFrom } from './connection-manner.ts';
import { ConnectionOpener, type OpenConnection, type OpeningWish } from './connection-opener.ts';
import { HostMemory } from './host-memory.ts';
import { describeSocket, peerFactsOf } from './peer-facts.ts';
import type { SendRoute } from './send-route.ts';
import type { SessionLog } from './session-log.ts';
import type { Target } from './target-finder.ts';
import { TlsSessions } from './tls-sessions.ts';

/** How long is remembered what a host does badly, in milliseconds. */
const memorySpanMs = 10 * 60_000;

/** Reaches a target with the TLS that its policy demands: chooses how to begin, falls back where that is allowed, judges. */
export class TargetDialer {
  readonly #opener: ConnectionOpener;
  readonly #tls: ConnectionOptions;
  readonly #sessions = new TlsSessions();
  /** Hosts whose STARTTLS does not work. */
  readonly #clearHosts: HostMemory;
  /** Hosts that drop EHLO. */
  readonly #heloHosts: HostMemory;
  /** Hosts that take no mail without TLS, whatever they offer. */
  readonly #tlsHosts: HostMemory;

  constructor(clock: Clock, tls: ConnectionOptions) {
    this.#opener = new ConnectionOpener(clock);
    this.#tls = tls;
    this.#clearHosts = new HostMemory(clock, memorySpanMs);
    this.#heloHosts = new HostMemory(clock, memorySpanMs);
    this.#tlsHosts = new HostMemory(clock, memorySpanMs);
  }

  /** Rejects with ConnectionLost. */
  async dial(target: Target, route: SendRoute, log: SessionLog, signal: AbortSignal): Promise<OpenConnection> {
    const policy: TargetTlsPolicy = { demands: [route.tls] };
    let manner = this.#mannerFor(target, route, policy);
    for (;;) {
      try {
        const opened = await this.#opener.open(this.#wish(target, route, policy, manner), log, signal);
        this.#judge(opened, target, policy, log);
        return opened;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        const next = fallBackFrom(manner, error);
        if (error.kind === 'tls') tellTlsFailure(log, error, next?.consequence, policy);
        if (next === undefined) throw error.kind === 'tls' ? withoutTls(error, policy) : error;
        this.#remember(target, manner, next.manner);
        manner = next.manner;
      }
    }
  }

  /** The host answered 530 and asked for STARTTLS: next time nothing is said without it. */
  demandTls(target: Target): void {
    this.#clearHosts.forget(keyOf(target));
    this.#heloHosts.forget(keyOf(target));
    this.#tlsHosts.remember(keyOf(target));
  }

  #mannerFor(target: Target, route: SendRoute, policy: TargetTlsPolicy): ConnectionManner {
    const key = keyOf(target);
    const startTls = startTlsOf(policy);
    const helo = route.forceHelo || (startTls !== 'required' && this.#heloHosts.has(key));
    if (startTls !== 'when-offered') return { startTls, helo };
    if (this.#tlsHosts.has(key)) return { startTls: 'required', helo };
    return { startTls: this.#clearHosts.has(key) ? 'never' : startTls, helo };
  }

  #remember(target: Target, before: ConnectionManner, after: ConnectionManner): void {
    if (after.helo && !before.helo) return this.#heloHosts.remember(keyOf(target));
    this.#clearHosts.remember(keyOf(target));
    this.#sessions.forget(sessionKey(target));
  }

  /** Who asks for a certificate sees it checked each time: no resumption. */
  #wish(target: Target, route: SendRoute, policy: TargetTlsPolicy, manner: ConnectionManner): OpeningWish {
    const plain = { target, route, manner, tls: this.#tls };
    if (needsCertificate(policy)) return plain;
    const key = sessionKey(target);
    const session = this.#sessions.ticket(key);
    return {
      ...plain,
      tls: session === undefined ? this.#tls : { ...this.#tls, session },
      onTlsSession: (ticket) => this.#sessions.keepTicket(key, ticket),
    };
  }

  #factsOf(socket: TLSSocket, target: Target): PeerIdentity {
    const key = sessionKey(target);
    const known = socket.isSessionReused() ? this.#sessions.facts(key) : undefined;
    if (known !== undefined) return known;
    const facts = peerFactsOf(socket);
    this.#sessions.keepFacts(key, facts);
    return facts;
  }

  /** Throws ConnectionLost when what was reached is less than what is demanded. */
  #judge({ connection, ended }: OpenConnection, target: Target, policy: TargetTlsPolicy, log: SessionLog): void {
    const { socket } = connection;
    const encrypted = socket instanceof TLSSocket;
    const verdict = judgeTarget(policy, encrypted ? this.#factsOf(socket, target) : peerFactsOf(socket));
    if (!verdict.acceptable) {
      connection.abandon(verdict.reason);
      ended(verdict.reason);
      const demanded = verdict.unmet === undefined ? '' : `, which ${verdict.unmet.because} demands`;
      if (!encrypted) throw new ConnectionLost('tls', `TLS was not reached${demanded}`);
      log.tell('tls-failed', { direction: 'send', reason: verdict.reason, consequence: 'the message waits' });
      throw new ConnectionLost('policy', `${verdict.reason}${demanded}`);
    }
    if (!encrypted) return;
    const { protocol, cipher } = describeSocket(socket);
    log.tell('tls-reached', { direction: 'send', protocol, cipher, level: verdict.reached, peer: target.host });
  }
}

function tellTlsFailure(
  log: SessionLog,
  loss: ConnectionLost,
  consequence: string | undefined,
  policy: TargetTlsPolicy,
): void {
  log.tell('tls-failed', {
    direction: 'send',
    reason: failureOf(loss),
    consequence: consequence ?? `the message waits: ${describePolicy(policy)}`,
  });
}

function withoutTls(loss: ConnectionLost, policy: TargetTlsPolicy): ConnectionLost {
  const reason = `TLS is required (${describePolicy(policy)}) and was not reached: ${failureOf(loss)}`;
  return new ConnectionLost('tls', reason, undefined, { cause: loss, step: loss.step });
}

function failureOf({ step, message, reply }: ConnectionLost): string {
  const what = reply ?? message;
  return step === '' ? what : `at ${step}: ${what}`;
}

function keyOf({ address, port }: Target): string {
  return `${address}:${port}`;
}

/** The server name stands in it: a session belongs to the name that was asked for. */
function sessionKey({ host, address, port }: Target): string {
  return `${host} ${address}:${port}`;
}
