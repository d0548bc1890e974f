import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { FairTurns, formatEndpoint, type IpRange, type ListenSource, listening, ReadGarbage } from '../base/index.ts';
import {
  AcceptedDomainTable,
  type Binding,
  type InternalServer,
  type ReceiveConnector,
  type Snapshot,
} from '../config/index.ts';
import { formatDate } from '../mail/index.ts';
import { AgentChain } from '../pipeline/index.ts';
import { oneLine, type ProxiedEndpoints, type Reply, renderReply, replies } from '../smtp/index.ts';
import { ConnectorTable } from './connector/connector-choice.ts';
import { ConnectorProfile } from './connector/connector-profile.ts';
import { HeldOctets } from './content/held-octets.ts';
import type { ConnectionOwner, EdgeConnection } from './edge-connection.ts';
import { EdgeServer } from './edge-server.ts';
import { ConnectionLimits } from './limits/connection-limits.ts';
import { MinuteRates } from './limits/minute-rates.ts';
import { unshared } from './limits/shared-numbers.ts';
import { isBalancer, readProxied } from './proxied-socket.ts';
import type { ReceiveParts, SessionState } from './session/contract.ts';
import { organizationLimits } from './session/organization-limits.ts';
import type { OrganizationLimits, SessionOrigin, SessionParts } from './session/session-parts.ts';
import { shuttingDown } from './session.ts';

/** One listening socket. */
export interface Listener {
  readonly binding: Binding;
  readonly address: AddressInfo;
}

/** Connections that may wait before they are accepted; for sources that are bound here. */
const backlog = 4096;
/** How often time limits are looked at, in milliseconds. They are whole seconds. */
const tickMs = 1000;
/** How long a socket that was refused may take to close, in milliseconds. */
const refusalMs = 5000;
/** Peers that were told goodbye may take so long to hang up before a stop goes on, in milliseconds. */
const farewellMs = 1000;
/** Time for TLS handshakes in one turn of the event loop, in milliseconds: beside a flood of them sessions go on. */
const handshakesMs = 5;

/** Octets of headers that all sessions of a worker may hold; honest headers are some KB and complete in the first packet. */
const mostHeldOctets = 24 * 1024 ** 2;

/** What was made of one snapshot. */
interface Compiled {
  readonly table: ConnectorTable;
  readonly domains: AcceptedDomainTable;
  readonly servers: ReadonlyMap<ReceiveConnector, EdgeServer>;
  readonly secureDomains: readonly string[];
  readonly internalServers: readonly InternalServer[];
  /** MaxConnectionRatePerMinute. */
  readonly connectionRate: number;
  readonly limits: OrganizationLimits;
  readonly externalAddress: string | null;
  readonly ownServers: readonly IpRange[];
}

/** Receives mail on the bindings of the configuration. */
export class ReceiveService implements AsyncDisposable, ConnectionOwner {
  readonly handshakes = new FairTurns(handshakesMs);
  readonly garbage = new ReadGarbage();
  #parts: ReceiveParts;
  #sessionParts: SessionParts;
  #compiled: Compiled;
  #limits: ConnectionLimits;
  #listeners = new Map<string, Server>();
  /** Every connection whose socket is open, and those of them that still converse. */
  #open = new Set<EdgeConnection>();
  #active = new Set<EdgeConnection>();
  #draining = false;
  #idle = Promise.withResolvers<void>();
  #subscription: Disposable;
  #tick: { cancel(): void };
  #date = { second: -1, text: '' };

  constructor(parts: ReceiveParts) {
    const { numbers = unshared, clock } = parts;
    this.#parts = parts;
    this.#limits = new ConnectionLimits(numbers, clock);
    this.#sessionParts = {
      ...parts,
      rates: new MinuteRates(numbers, clock),
      agents: parts.agents ?? new AgentChain(),
      heldOctets: new HeldOctets(parts.maxHeldOctets ?? mostHeldOctets),
      draining: () => this.#draining,
    };
    this.#compiled = compile(parts.snapshots.current, undefined);
    this.#subscription = parts.snapshots.onChange((snapshot) => {
      this.#compiled = compile(snapshot, this.#compiled);
    });
    this.#tick = this.#nextTick();
  }

  /** Starts to accept connections; `binding` is the endpoint as the configuration names it. Rejects when it cannot listen. */
  async serve(source: ListenSource, binding: Binding): Promise<Listener> {
    const key = formatEndpoint(binding);
    if (this.#listeners.has(key)) throw new Error(`${key} is served already`);
    // Half-open: a client that closes its side behind the last command still gets its answers.
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket, binding));
    this.#listeners.set(key, server);
    try {
      const address = await listening(server, source, backlog);
      server.on('error', (error) => this.#parts.onFault?.(error, ''));
      return { binding, address };
    } catch (error) {
      this.#listeners.delete(key);
      throw error;
    }
  }

  /** Stops to accept there; sessions go on. */
  unserve(binding: Binding): void {
    const key = formatEndpoint(binding);
    this.#listeners.get(key)?.close();
    this.#listeners.delete(key);
  }

  /** Sessions now open. */
  get count(): number {
    return this.#active.size;
  }

  /** What the sessions do, for status. */
  list(): SessionState[] {
    return Array.from(this.#active, (connection) => connection.dialogue.state);
  }

  /**
   * No new session and no new message: whoever connects or speaks gets 421. Resolves when the messages being received
   * are in the queue or refused, and the listeners closed; when `signal` aborts before, what is left is cut.
   */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    for (const connection of this.#active) connection.stop();
    const cut = (): void => {
      for (const connection of this.#open) connection.cut('the service stops');
    };
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    if (this.#active.size > 0) await this.#idle.promise;
    const farewell = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(farewellMs, farewell.resolve);
    this.#idle = farewell;
    if (this.#open.size > 0) await farewell.promise;
    timer.cancel();
    signal.removeEventListener('abort', cut);
    await this[Symbol.asyncDispose]();
  }

  /** Cuts everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    this.#subscription[Symbol.dispose]();
    this.#tick.cancel();
    const closed = Array.from(this.#listeners.values(), (server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      return promise;
    });
    this.#listeners.clear();
    for (const connection of this.#open) connection.cut('the service stops');
    await Promise.all(closed);
  }

  released(connection: EdgeConnection): void {
    const { profile, remoteAddress } = connection.dialogue.origin;
    this.#limits.release(profile.connector, remoteAddress);
    this.#active.delete(connection);
    if (this.#draining && this.#active.size === 0) this.#idle.resolve();
  }

  gone(connection: EdgeConnection): void {
    this.#open.delete(connection);
    if (this.#draining && this.#open.size === 0) this.#idle.resolve();
  }

  date(): string {
    const now = this.#parts.clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#date.second) this.#date = { second, text: formatDate(now) };
    return this.#date.text;
  }

  #nextTick(): { cancel(): void } {
    return this.#parts.clock.after(tickMs, () => {
      const now = this.#parts.clock.monotonic();
      for (const connection of this.#active) connection.tick(now);
      this.#tick = this.#nextTick();
    });
  }

  /** Nothing that a peer does may come out of here. */
  #accept(socket: Socket, binding: Binding): void {
    try {
      this.#begin(socket, binding);
    } catch (error) {
      this.#parts.onFault?.(error, '');
      socket.on('error', () => {});
      socket.destroy();
    }
  }

  #begin(socket: Socket, binding: Binding): void {
    const { remoteAddress, remotePort, localPort } = socket;
    // Gone before it was accepted.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
    const localAddress = wildcard(binding.address) ? (socket.localAddress ?? binding.address) : binding.address;
    const endpoints = { localAddress, remoteAddress, remotePort, localPort: localPort ?? binding.port };
    const { server } = this.#parts.snapshots.current;
    if (!isBalancer(server.proxyProtocolBalancers, binding, remoteAddress))
      return this.#beginAt(socket, binding, endpoints);
    readProxied(socket, this.#parts.clock, {
      done: (proxied) => this.#beginProxied(socket, binding, { ...endpoints, ...proxied }),
      failed: (reason) => {
        const { id, local, remote } = this.#originOf(endpoints);
        this.#tellRefused({ id, local, remote }, '', reason);
        socket.on('error', () => {});
        socket.destroy();
      },
    });
  }

  /** Nothing that a balancer says may come out of here. */
  #beginProxied(socket: Socket, binding: Binding, endpoints: ProxiedEndpoints): void {
    try {
      this.#beginAt(socket, binding, endpoints);
    } catch (error) {
      this.#parts.onFault?.(error, '');
      socket.destroy();
    }
  }

  beginAgain({ dialogue }: EdgeConnection, socket: Socket, endpoints: ProxiedEndpoints): void {
    const { balanced } = dialogue.origin;
    if (balanced !== undefined) this.#beginProxied(socket, balanced.binding, endpoints);
  }

  #originOf({ localAddress, localPort, remoteAddress, remotePort }: ProxiedEndpoints) {
    return {
      id: this.#parts.sessionIds.next(),
      localAddress,
      remoteAddress,
      local: formatEndpoint({ address: localAddress, port: localPort }),
      remote: formatEndpoint({ address: remoteAddress, port: remotePort }),
    };
  }

  #beginAt(socket: Socket, binding: Binding, endpoints: ProxiedEndpoints): void {
    const origin = this.#originOf(endpoints);
    const { localAddress, remoteAddress } = origin;
    if (this.#draining) return this.#refuse(socket, origin, shuttingDown, 'the service stops');
    const { table, domains, servers, connectionRate, limits, externalAddress, ownServers } = this.#compiled;
    const tooFast = this.#limits.arrived(connectionRate);
    if (tooFast !== undefined) return this.#refuse(socket, origin, tooFast.reply, tooFast.reason);
    const choice = table.choose({ address: localAddress, port: binding.port }, remoteAddress);
    if (choice.kind === 'none') return this.#refuse(socket, origin, replies.serviceNotAvailable, choice.reason);
    const { connector, range, passedOver } = choice;
    const reached = this.#limits.admit(connector, remoteAddress);
    if (reached !== undefined)
      return this.#refuse(socket, origin, reached.reply, `${connector.name}: ${reached.reason}`);
    this.#parts.journal.emit({
      at: this.#parts.clock.now(),
      session: origin.id,
      message: 0,
      kind: 'connector-chosen',
      connector: connector.name,
      binding: choice.binding,
      range,
      local: origin.local,
      remote: origin.remote,
      passedOver,
    });
    try {
      const server = servers.get(connector);
      if (server === undefined) throw new Error(`connector '${connector.name}' has no server`);
      const { xClientBalancers } = this.#parts.snapshots.current.server;
      const whole: SessionOrigin = {
        ...origin,
        profile: server.profile,
        domains,
        limits,
        externalAddress,
        ownServers,
        ...(isBalancer(xClientBalancers, binding, remoteAddress) && { balanced: { binding, endpoints } }),
      };
      const connection = server.take(socket, whole, this.#sessionParts, this);
      this.#open.add(connection);
      this.#active.add(connection);
    } catch (error) {
      this.#limits.release(connector, remoteAddress);
      throw error;
    }
  }

  #refuse(
    socket: Socket,
    { id, local, remote }: Pick<SessionOrigin, 'id' | 'local' | 'remote'>,
    reply: Reply,
    reason: string,
  ): void {
    this.#tellRefused({ id, local, remote }, oneLine(reply), reason);
    socket.on('error', () => {});
    const timer = this.#parts.clock.after(refusalMs, () => socket.destroy());
    socket.on('close', () => timer.cancel());
    socket.end(renderReply(reply), 'latin1');
    socket.resume();
  }

  #tellRefused(
    { id, local, remote }: Pick<SessionOrigin, 'id' | 'local' | 'remote'>,
    reply: string,
    reason: string,
  ): void {
    const at = this.#parts.clock.now();
    this.#parts.journal.emit({ at, session: id, message: 0, kind: 'connection-refused', local, remote, reply, reason });
  }
}

function wildcard(address: string): boolean {
  return address === '0.0.0.0' || (isIPv6(address) && /^[0:]+$/.test(address));
}

/** Connectors that did not change keep their server. */
function compile(snapshot: Snapshot, before: Compiled | undefined): Compiled {
  const { fqdn } = snapshot.server;
  const secureDomains = snapshot.organization.tlsReceiveDomainSecureList;
  const sameDomains = before !== undefined && before.secureDomains.join() === secureDomains.join();
  const { internalServers } = snapshot;
  const sameTrust = before !== undefined && sameObjects(before.internalServers, internalServers);
  const servers = new Map<ReceiveConnector, EdgeServer>();
  for (const connector of snapshot.receiveConnectors) {
    const kept = before?.servers.get(connector);
    const usable = kept !== undefined && kept.profile.serverFqdn === fqdn && sameDomains && sameTrust;
    const profile = (): ConnectorProfile => new ConnectorProfile(connector, fqdn, secureDomains, internalServers);
    servers.set(connector, usable ? kept : new EdgeServer(profile()));
  }
  return {
    table: new ConnectorTable(snapshot.receiveConnectors),
    domains: new AcceptedDomainTable(snapshot.acceptedDomains),
    servers,
    secureDomains,
    internalServers,
    connectionRate: snapshot.server.maxConnectionRatePerMinute,
    limits: organizationLimits(snapshot.organization),
    externalAddress: snapshot.server.externalIPAddress,
    ownServers: snapshot.organization.internalSMTPServers,
  };
}

/** Objects of a snapshot that did not change are those of the one before. */
function sameObjects(before: readonly object[], now: readonly object[]): boolean {
  return before.length === now.length && before.every((one, index) => one === now[index]);
}
