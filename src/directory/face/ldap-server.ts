/** The LDAP server: listeners, connections, and what they can do. Nothing that a client sends makes it throw. */
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { FairTurns, HeldShares, ReadGarbage, systemClock } from '../../base/index.ts';
import type { Change, DirectoryWriter } from '../store/entries/contract.ts';
import { type AccessPolicy, administratorsOnly } from './access/access-policy.ts';
import { DirectoryAccessPolicy } from './access/directory-access-policy.ts';
import { type Authenticator, localAdministrator, type Peer, type Principal } from './access/identity.ts';
import { Argon2Hasher, type PasswordHasher } from './access/password.ts';
import { isLoopback, peerOf, sourceOf } from './access/peer.ts';
import { StoreAuthenticator } from './access/store-authenticator.ts';
import { BoundedLog } from './bounded-log.ts';
import { LdapConnection, type Operations, type TlsUpgrade, type Turns } from './connection.ts';
import { ConnectionPlaces, type Place } from './connection-places.ts';
import type { FaceLog } from './face-event.ts';
import { contentSync } from './follow/content-sync.ts';
import { dirSync } from './follow/dir-sync.ts';
import { persistentSearch } from './follow/persistent-search.ts';
import { LdapjsRouter } from './ldapjs-router.ts';
import { defaultLimits, type FaceLimits } from './limits.ts';
import { bindOperation } from './operations/bind-operation.ts';
import { compareOperation } from './operations/compare-operation.ts';
import { extendedOperation, supportedExtensions } from './operations/extended-operations.ts';
import { searchOperation } from './operations/search-operation.ts';
import { SystemEntries } from './operations/system-entries.ts';
import { updateOperations } from './operations/update-operations.ts';
import { type TlsIdentity, tlsUpgrade } from './tls-upgrade.ts';

export interface LdapServerOptions {
  readonly store: DirectoryWriter;
  /** Default: accounts of the store with argon2id passwords. */
  readonly authenticator?: Authenticator;
  /** Default: administrators everything, accounts what the rules in the directory give them, all others the root DSE. */
  readonly policy?: AccessPolicy;
  /** Limits other than the default ones. */
  readonly limits?: Partial<FaceLimits>;
  readonly log?: FaceLog;
  /** Needed for StartTLS and for listeners with `tls`. */
  readonly tls?: TlsIdentity;
  readonly hasher?: PasswordHasher;
  /** dnsHostName of the root DSE. Default: that of the machine. */
  readonly hostName?: string;
  /** dsServiceName of the root DSE: the object of this server. */
  readonly serverDn?: string;
  /** vendorVersion of the root DSE. */
  readonly version?: string;
}

/**
 * Where to listen: an address, the path of a unix socket (its folder must keep strangers out: who connects is the administrator),
 * or a server handle that another process has bound.
 */
export type ListenTarget =
  | ({ readonly host: string; readonly port: number } & NetworkTarget)
  | { readonly path: string }
  | ({ readonly handle: Server | { readonly fd: number } } & NetworkTarget);

interface NetworkTarget {
  /** TLS from the first octet. */
  readonly tls?: boolean;
  /** Whether a client of this address is served; default: everyone. Asked for each connection before anything is read from it. */
  readonly serves?: (address: string) => boolean;
}

export interface LdapListener extends AsyncDisposable {
  /** Address and port, or the path of the socket. */
  readonly address: string;
  readonly port: number;
}

const handshakeMs = 10_000;

/** Time in one turn of the event loop for what strangers want, and for what accounts want, in milliseconds. */
const sliceMs = 8;

interface Listening {
  readonly name: string;
  readonly tls: boolean;
  readonly serves: ((address: string) => boolean) | undefined;
}

interface OpenConnection {
  readonly socket: Socket;
  readonly place: Place;
  /** Absent while TLS begins. */
  connection?: LdapConnection;
}

export class LdapServer implements AsyncDisposable {
  readonly #limits: FaceLimits;
  readonly #log: FaceLog;
  readonly #gate = new LdapjsRouter();
  readonly #operations: Operations;
  /** Made here, so disposed of here. */
  readonly #rules: DirectoryAccessPolicy | undefined;
  readonly #upgrade: TlsUpgrade | undefined;
  readonly #authenticator: Authenticator;
  readonly #changes: Disposable;
  readonly #servers = new Set<Server>();
  readonly #connections = new Set<OpenConnection>();
  readonly #places: ConnectionPlaces;
  readonly #shares: HeldShares;
  readonly #garbage = new ReadGarbage();
  readonly #turns: Turns = { strangers: new FairTurns(sliceMs), accounts: new FairTurns(sliceMs) };
  readonly #bounded: BoundedLog;
  #next = 1;
  #closed = false;
  #listeners = 0;

  constructor(options: LdapServerOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#bounded = new BoundedLog(options.log ?? (() => undefined), () => systemClock.monotonic());
    this.#log = this.#bounded.tell;
    this.#places = new ConnectionPlaces(this.#limits);
    this.#shares = new HeldShares(this.#limits.maxHeldBytes);
    this.#upgrade = options.tls === undefined ? undefined : tlsUpgrade(options.tls, handshakeMs, this.#turns.strangers);
    this.#rules =
      options.policy === undefined
        ? new DirectoryAccessPolicy(options.store, (rule) => this.#log({ kind: 'rule', ...rule }))
        : undefined;
    const { store, hasher = new Argon2Hasher() } = options;
    this.#authenticator =
      options.authenticator ??
      new StoreAuthenticator({
        store,
        hasher,
        clock: systemClock,
        report: (error) => this.#log({ kind: 'fault', connection: '', error }),
      });
    this.#operations = operationsOf({
      ...options,
      policy: options.policy ?? this.#rules ?? administratorsOnly,
      authenticator: this.#authenticator,
      hasher,
      limits: this.#limits,
      log: this.#log,
    });
    this.#changes = store.onChange((changes) => this.#changed(changes));
  }

  /** Begins to listen. Rejects when the address cannot be had. */
  async listen(target: ListenTarget): Promise<LdapListener> {
    const tls = 'tls' in target && target.tls === true;
    this.#closed = false;
    if (tls && this.#upgrade === undefined) throw new RangeError('a listener with TLS needs a certificate');
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    this.#listeners += 1;
    const listener: Listening = {
      name: String(this.#listeners),
      tls,
      serves: 'path' in target ? undefined : target.serves,
    };
    server.on('connection', (socket) => this.#arrived(socket, listener));
    if ('path' in target) await removeStaleSocket(target.path);
    server.listen(listenOptions(target));
    await once(server, 'listening');
    if ('path' in target) await chmod(target.path, 0o600);
    // A listener that fails later, as for want of descriptors, must not end the process.
    server.on('error', (error) => this.#log({ kind: 'refused', address: '', reason: error.message }));
    this.#servers.add(server);
    const bound = server.address();
    const { address, port } = bound === null || typeof bound === 'string' ? { address: bound ?? '', port: 0 } : bound;
    return { address, port, [Symbol.asyncDispose]: () => this.#closeListener(server) };
  }

  /** Connections open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Ends all listeners and connections, with a notice to the clients. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = [...this.#servers].map((server) => this.#closeListener(server));
    for (const { socket, connection } of this.#connections) {
      if (connection === undefined) socket.destroy();
      else connection.disconnect('unavailable', 'the server stops');
    }
    await Promise.all(closed);
    this.#changes[Symbol.dispose]();
    this.#rules?.[Symbol.dispose]();
    this.#bounded.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeListener(server: Server): Promise<void> {
    if (!this.#servers.delete(server)) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Who connects without end waits behind who connects once. */
  #arrived(socket: Socket, listener: Listening): void {
    const peer = peerOf(socket);
    const source = sourceOf(peer.address);
    const { strangers } = this.#turns;
    if (peer.transport === 'tcp' && strangers.waiting(source) >= this.#limits.maxUnboundPerSource) {
      this.#log({ kind: 'refused', address: peer.address, reason: 'too many connections at once from this address' });
      socket.resetAndDestroy();
      return;
    }
    socket.on('error', () => undefined);
    strangers.run(source, () => {
      if (this.#closed) socket.destroy();
      else if (!socket.destroyed) this.#accept(socket, peer, listener);
    });
  }

  #accept(socket: Socket, peer: Peer, { name, tls, serves }: Listening): void {
    if (serves?.(peer.address) === false) {
      this.#log({
        kind: 'refused',
        address: peer.address,
        reason: 'the address is not among those that are served here',
      });
      socket.destroy();
      return;
    }
    const open: OpenConnection = { socket, place: this.#placeFor(peer, name, () => this.#evict(open, peer)) };
    this.#connections.add(open);
    socket.on('close', () => {
      this.#connections.delete(open);
      open.place[Symbol.dispose]();
    });
    if (tls) return void this.#beginWithTls(open);
    open.connection = this.#open(socket, peer, open.place);
    socket.resume();
  }

  /** Strangers fill the places of their listener only; the local administrator always gets in. */
  #placeFor({ address, transport }: Peer, listener: string, evict: () => void): Place {
    if (transport === 'unix') return { setBound: () => undefined, [Symbol.dispose]: () => undefined };
    return this.#places.take(isLoopback(address) ? `${listener} loopback` : listener, sourceOf(address), evict);
  }

  #evict({ socket, connection }: OpenConnection, { address }: Peer): void {
    const reason = 'too many connections that have not bound';
    this.#log({ kind: 'refused', address, reason });
    if (connection === undefined) socket.destroy();
    else connection.evict(reason);
  }

  async #beginWithTls(open: OpenConnection): Promise<void> {
    const { socket } = open;
    try {
      const secured = await this.#upgrade?.(socket);
      if (secured !== undefined) open.connection = this.#open(secured.socket, secured.peer, open.place);
    } catch (error) {
      this.#log({
        kind: 'refused',
        address: peerOf(socket).address,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** Accounts that are disabled, deleted or no administrators any more lose what they have open at once. */
  #changed(changes: readonly Change[]): void {
    this.#authenticator.changed?.(changes);
    const everyone = changes.some(concernsRoles);
    const gone = new Set(changes.flatMap(({ kind, dn }) => (kind === 'delete' ? [dn] : [])));
    for (const { connection } of this.#connections)
      if (connection !== undefined && (everyone || gone.has(connection.principal.dn))) connection.recheck();
  }

  #currently(principal: Principal): Principal | undefined {
    const held = principal.kind === 'anonymous' || principal === localAdministrator;
    return held || this.#authenticator.current === undefined ? principal : this.#authenticator.current(principal);
  }

  #open(socket: Socket, peer: Peer, place: Place): LdapConnection {
    const id = String(this.#next);
    this.#next += 1;
    return new LdapConnection(id, socket, peer, {
      gate: this.#gate,
      operations: this.#operations,
      limits: this.#limits,
      log: this.#log,
      currently: (principal) => this.#currently(principal),
      turns: this.#turns,
      received: (octets) => this.#garbage.add(octets),
      share: (end) => this.#shares.enter(end),
      setBound: (bound) => place.setBound(bound),
      ...(this.#upgrade && { startTls: this.#upgrade }),
    });
  }
}

/** Removes the socket that a killed process left behind; one that someone listens on stays, and cannot be had. */
async function removeStaleSocket(path: string): Promise<void> {
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (refused) await rm(path, { force: true });
}

function listenOptions(target: ListenTarget): ListenOptions | Server | { readonly fd: number } {
  if ('path' in target) return { path: target.path };
  if ('handle' in target) return target.handle;
  // An IPv6 address means IPv6: the one that means every address would take IPv4's as well, or find them taken.
  return { host: target.host, port: target.port, ipv6Only: target.host.includes(':') };
}

const accountAttributes: ReadonlySet<string> = new Set([
  'edgeAccountDisabled',
  'msDS-UserAccountDisabled',
  'edgeAccountExpires',
  'edgeLockedUntil',
  'member',
]);

/** Whether a change may concern any account. A deletion concerns the one deleted; they come in thousands. */
const concernsRoles = ({ kind, dn, attributes }: Change): boolean =>
  kind === 'modifyDn' ||
  (kind === 'delete' && /^CN=Administrators,/i.test(dn)) ||
  attributes.some((name) => accountAttributes.has(name));

type Parts = LdapServerOptions &
  Required<Pick<LdapServerOptions, 'policy' | 'authenticator' | 'hasher' | 'log'>> & { readonly limits: FaceLimits };

function operationsOf({ store, policy, authenticator, hasher, limits, log, ...options }: Parts): Operations {
  const system = new SystemEntries({
    store,
    supportedExtensions: supportedExtensions(options.tls !== undefined),
    hostName: options.hostName ?? hostname(),
    vendorVersion: options.version ?? '0',
    ...(options.serverDn !== undefined && { serverDn: options.serverDn }),
  });
  return {
    bind: bindOperation(authenticator, log, limits.maxBindNameBytes),
    search: searchOperation({ store, policy, system, limits }, { dirSync, contentSync, persistentSearch }),
    compare: compareOperation({ store, policy }, system),
    extended: extendedOperation({ store, policy, hasher, log, authenticator }),
    ...updateOperations({ store, policy, system, hasher, log }),
  };
}
