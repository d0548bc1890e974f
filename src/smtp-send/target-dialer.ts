import { type ConnectionOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../base/index.ts';
import { type Credential, credentialPurpose } from '../config/index.ts';
import {
  describePolicy,
  isOurs,
  judgeTarget,
  needsCertificate,
  type PeerIdentity,
  startTlsOf,
  statusOfFailure,
  type TargetTlsPolicy,
  type TlsOutcomes,
} from '../tls/index.ts';
import { ConnectionLost } from './connection/connection-lost.ts';
import { type ConnectionManner, fallBackFrom } from './connection/connection-manner.ts';
import { ConnectionOpener, type OpenConnection, type OpeningWish } from './connection/connection-opener.ts';
import { HostMemory } from './connection/host-memory.ts';
import { logOn } from './connection/logon.ts';
import type { OwnIdentity } from './connection/own-identity.ts';
import { describeCertificate, describeSocket, peerIdentityOf } from './connection/peer-identity.ts';
import type { PeerTrust } from './connection/peer-trust.ts';
import type { SendRoute } from './connection/send-route.ts';
import type { SessionLog } from './connection/session-log.ts';
import { TlsSessions } from './connection/tls-sessions.ts';
import { TlsTroubles } from './connection/tls-troubles.ts';
import type { Target } from './dns/target-finder.ts';
import type { TargetPolicies } from './policies/policy-source.ts';
import { OutcomeReport } from './transaction/outcome-report.ts';

/** The level that the connector demands is judged after the handshake. */
const judgedAfterwards: ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };

/** RFC 8689 §7.3: REQUIRETLS support required. */
const requireTlsStatus = '5.7.30';

/** How long is remembered what a host does badly, in milliseconds. */
const memorySpanMs = 10 * 60_000;

/** Reaches a target with the TLS that its policy demands: chooses how to begin, falls back where that is allowed, judges. */
export class TargetDialer {
  readonly #clock: Clock;
  readonly #policies: TargetPolicies;
  readonly #identity: OwnIdentity;
  readonly #opener: ConnectionOpener;
  readonly #trust: PeerTrust;
  readonly #outcomes: OutcomeReport;
  readonly #sessions = new TlsSessions();
  readonly troubles: TlsTroubles;
  /** Hosts whose STARTTLS does not work. */
  readonly #clearHosts: HostMemory;
  /** Hosts, or firewalls before them, that a large ClientHello breaks. */
  readonly #smallHosts: HostMemory;
  /** Hosts that drop EHLO. */
  readonly #heloHosts: HostMemory;
  /** Hosts that take no mail without TLS, whatever they offer. */
  readonly #tlsHosts: HostMemory;

  constructor(clock: Clock, trust: PeerTrust, policies: TargetPolicies, identity: OwnIdentity, outcomes?: TlsOutcomes) {
    this.#clock = clock;
    this.troubles = new TlsTroubles(clock);
    this.#identity = identity;
    this.#policies = policies;
    this.#opener = new ConnectionOpener(clock);
    this.#trust = trust;
    this.#outcomes = new OutcomeReport(outcomes);
    this.#clearHosts = new HostMemory(clock, memorySpanMs);
    this.#smallHosts = new HostMemory(clock, memorySpanMs);
    this.#heloHosts = new HostMemory(clock, memorySpanMs);
    this.#tlsHosts = new HostMemory(clock, memorySpanMs);
  }

  /** Rejects with ConnectionLost. */
  async dial(target: Target, route: SendRoute, log: SessionLog, signal: AbortSignal): Promise<OpenConnection> {
    const destination = target.dns?.domain ?? target.host;
    try {
      const opened = await this.#dial(target, route, log, signal);
      this.troubles.succeeded(destination);
      return opened;
    } catch (error) {
      const isTls = error instanceof ConnectionLost && (error.kind === 'tls' || error.kind === 'policy');
      if (isTls) this.troubles.failed(destination, `${target.host}: ${error.message}`);
      throw error;
    }
  }

  async #dial(target: Target, route: SendRoute, log: SessionLog, signal: AbortSignal): Promise<OpenConnection> {
    const policy = await this.#policyOf(target, route, log, signal);
    this.#outcomes.policyFailed(target, policy);
    let manner = this.#mannerFor(target, route, policy);
    for (;;) {
      let judged = false;
      try {
        const opened = await this.#opener.open(this.#wish(target, route, policy, manner, log), log, signal);
        judged = true;
        const peer = this.#judge(opened, target, route, policy, log);
        requireOffer(opened, route);
        await this.#askIssuers(opened, peer, target, route, log);
        if (route.logon !== undefined) await this.#logOn(opened, route.logon);
        return isPinned(policy) ? { ...opened, isInternal: true } : opened;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        const next = fallBackFrom(manner, error);
        if (error.kind === 'tls') tellTlsFailure(log, error, next?.consequence, policy);
        if (next === undefined) {
          if (!judged && error.kind === 'tls') this.#outcomes.broken(target, policy, error);
          this.#policies.doubt(target);
          throw error.kind === 'tls' ? withoutTls(error, policy) : error;
        }
        this.#remember(target, manner, next.manner);
        manner = next.manner;
      }
    }
  }

  /** Rejects with ConnectionLost when nothing may be sent to the target at all. */
  async #policyOf(target: Target, route: SendRoute, log: SessionLog, signal: AbortSignal): Promise<TargetTlsPolicy> {
    const found = await this.#policies.policyOf(target, route, signal);
    if (found.kind === 'policy') return found.policy;
    const { failure, reason, by } = found;
    this.#outcomes.passedOver(target, found);
    log.tell('tls-failed', { direction: 'send', reason, consequence: `${target.host} is passed over` });
    this.#policies.doubt(target);
    const status = by === 'REQUIRETLS' ? requireTlsStatus : by === 'MTA-STS' ? '4.4.8' : statusOfFailure(failure);
    throw new ConnectionLost('policy', reason, undefined, { status });
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
    const common = { helo, smallHello: this.#smallHosts.has(key) };
    if (startTls !== 'when-offered') return { startTls, ...common };
    if (this.#tlsHosts.has(key)) return { startTls: 'required', ...common };
    return { startTls: this.#clearHosts.has(key) ? 'never' : startTls, ...common };
  }

  #remember(target: Target, before: ConnectionManner, after: ConnectionManner): void {
    if (after.smallHello && !before.smallHello) return this.#smallHosts.remember(keyOf(target));
    if (after.helo && !before.helo) return this.#heloHosts.remember(keyOf(target));
    // It was not the size.
    this.#smallHosts.forget(keyOf(target));
    this.#clearHosts.remember(keyOf(target));
    this.#sessions.forget(sessionKey(target));
  }

  async #logOn({ connection, ended }: OpenConnection, credential: Credential): Promise<void> {
    try {
      const password = this.#identity.unseal(credential.sealed, credentialPurpose(credential));
      await logOn(connection, { userName: credential.userName, password });
    } catch (error) {
      ended('the logon failed');
      if (error instanceof ConnectionLost) throw error;
      connection.abandon('the logon failed');
      throw new ConnectionLost(
        'policy',
        `AuthenticationCredential cannot be used: ${(error as Error).message}`,
        undefined,
        {
          status: '4.7.0',
          cause: error,
        },
      );
    }
  }

  /** Who asks for a certificate, or shows one, sees it checked each time: no resumption. */
  #wish(
    target: Target,
    route: SendRoute,
    policy: TargetTlsPolicy,
    manner: ConnectionManner,
    log: SessionLog,
  ): OpeningWish {
    const own = {
      ...judgedAfterwards,
      secureContext: manner.smallHello ? this.#trust.smallContext : this.#trust.context,
    };
    const plain = { target, route, manner, tls: own, serverName: policy.serverName };
    // Direct trust is mutual: the server knows us by our key.
    const single = isPinned(policy);
    const name = route.clientCertificate ?? (single ? '' : undefined);
    if (name !== undefined && manner.startTls !== 'never') {
      const { helloName: fqdn } = route;
      const { smallHello } = manner;
      const secureContext = this.#identity.clientContext({ name, fqdn, smallHello, single }, log);
      return { ...plain, tls: secureContext === undefined ? own : { ...own, secureContext } };
    }
    // A ticket makes the ClientHello larger again.
    if (needsCertificate(policy) || manner.smallHello) return plain;
    const key = sessionKey(target);
    const session = this.#sessions.ticket(key);
    return {
      ...plain,
      tls: session === undefined ? own : { ...own, session },
      onTlsSession: (ticket) => this.#sessions.keepTicket(key, ticket),
    };
  }

  #identityOf(socket: TLSSocket, target: Target): PeerIdentity {
    const key = sessionKey(target);
    const known = socket.isSessionReused() ? this.#sessions.identity(key) : undefined;
    if (known !== undefined) return known;
    const identity = peerIdentityOf(socket);
    this.#sessions.keepIdentity(key, identity);
    return identity;
  }

  /** Throws ConnectionLost when what was reached is less than what is demanded. */
  #judge(
    { connection, ended }: OpenConnection,
    target: Target,
    route: SendRoute,
    policy: TargetTlsPolicy,
    log: SessionLog,
  ): PeerIdentity {
    const { socket } = connection;
    const encrypted = socket instanceof TLSSocket;
    const shown = encrypted ? this.#identityOf(socket, target) : peerIdentityOf(socket);
    const peer = this.#trust.narrowed(shown, route, this.#clock.now());
    const verdict = judgeTarget(policy, peer, this.#clock.now());
    this.#outcomes.judged(target, policy, verdict, socket.localAddress);
    const facts = { demanded: describePolicy(policy), certificate: describeCertificate(peer) };
    for (const { reason, demand } of verdict.told) {
      log.tell('tls-failed', { direction: 'send', reason, consequence: `${demand.because}: told, not enforced` });
    }
    if (verdict.unmet !== undefined) {
      const { reason, demand, failure } = verdict.unmet;
      connection.abandon(reason);
      ended(reason);
      const status = demand.by === 'REQUIRETLS' ? requireTlsStatus : statusOfFailure(failure);
      const options = isOurs(demand.by) ? {} : { status };
      const text = `${reason}, and ${demand.because} demands more`;
      if (!encrypted) throw new ConnectionLost('tls', text, undefined, options);
      log.tell('tls-failed', { direction: 'send', reason, consequence: 'the message waits', ...facts });
      throw new ConnectionLost('policy', text, undefined, options);
    }
    if (!encrypted) return peer;
    const { protocol, cipher } = describeSocket(socket);
    log.tell('tls-reached', {
      direction: 'send',
      protocol,
      cipher,
      level: verdict.reached,
      peer: target.host,
      ...facts,
    });
    return peer;
  }

  async #askIssuers(
    { connection, ended }: OpenConnection,
    peer: PeerIdentity,
    target: Target,
    route: SendRoute,
    log: SessionLog,
  ): Promise<void> {
    try {
      await this.#trust.askIssuers(peer, route, target.host, log);
    } catch (error) {
      connection.abandon('the certificate does not do');
      ended('the certificate does not do');
      throw error;
    }
  }
}

/** RFC 8689 §4.2.1: the peer must promise to hold the hops behind it to TLS. Only who was judged for it is believed. */
function requireOffer({ connection, ended }: OpenConnection, { messagesTls }: SendRoute): void {
  if (messagesTls !== 'required') {
    connection.capabilities = { ...connection.capabilities, requireTls: false };
    return;
  }
  if (connection.capabilities.requireTls) return;
  const reason = `${connection.peer} does not offer REQUIRETLS, which the message needs`;
  connection.abandon(reason);
  ended(reason);
  throw new ConnectionLost('policy', reason, undefined, { status: requireTlsStatus });
}

function isPinned({ demands }: TargetTlsPolicy): boolean {
  return demands.some(({ by }) => by === 'direct trust');
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
  // Exchange Online names failures of DANE and MTA-STS; those of a connector are 4.7.5.
  const named = policy.demands.some(({ by }) => !isOurs(by));
  const status = loss.status ?? (named ? statusOfFailure('starttls-not-supported') : undefined);
  return new ConnectionLost('tls', reason, undefined, {
    cause: loss,
    step: loss.step,
    ...(status !== undefined && { status }),
  });
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
