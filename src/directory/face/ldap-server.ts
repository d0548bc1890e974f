/** The LDAP server: listeners, connections, and what they can do. Nothing that a client sends makes it throw. */
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { systemClock } from '../../base/index.ts';
import type { Change, DirectoryWriter } from '../store/contract.ts';
import { type AccessPolicy, administratorsOnly } from './access/access-policy.ts';
import { DirectoryAccessPolicy } from './access/directory-access-policy.ts';
import { type Authenticator, localAdministrator, type Peer, type Principal } from './access/identity.ts';
import { Argon2Hasher, type PasswordHasher } from './access/password.ts';
import { peerOf, sourceOf } from './access/peer.ts';
import { StoreAuthenticator } from './access/store-authenticator.ts';
import { encodeDisconnection } from './ber/result.ts';
import { LdapConnection, type Operations, type TlsUpgrade } from './connection.ts';
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
  /** vendorVersion of the root DSE. */
  readonly version?: string;
}

/**
 * Where to listen: an address, the path of a unix socket (its folder must keep strangers out: who connects is the administrator),
 * or a server handle that another process has bound.
 */
export type ListenTarget =
  | { readonly host: string; readonly port: number /** TLS from the first octet. */; readonly tls?: boolean }
  | { readonly path: string }
  | { readonly handle: Server | { readonly fd: number }; readonly tls?: boolean };

export interface LdapListener extends AsyncDisposable {
  /** Address and port, or the path of the socket. */
  readonly address: string;
  readonly port: number;
}

const handshakeMs = 10_000;

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
  readonly #connections = new Set<{ readonly socket: Socket; connection?: LdapConnection }>();
  readonly #sources = new Map<string, number>();
  #next = 1;

  constructor(options: LdapServerOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#log = options.log ?? (() => undefined);
    this.#upgrade = options.tls === undefined ? undefined : tlsUpgrade(options.tls, handshakeMs);
    this.#rules =
      options.policy === undefined
        ? new DirectoryAccessPolicy(options.store, (rule) => this.#log({ kind: 'rule', ...rule }))
        : undefined;
    const { store, hasher = new Argon2Hasher() } = options;
    this.#authenticator = options.authenticator ?? new StoreAuthenticator({ store, hasher, clock: systemClock });
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
    if (tls && this.#upgrade === undefined) throw new RangeError('a listener with TLS needs a certificate');
    const server = createServer({ noDelay: true, pauseOnConnect: tls });
    server.on('connection', (socket) => this.#accept(socket, tls));
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
    const closed = [...this.#servers].map((server) => this.#closeListener(server));
    for (const { socket, connection } of this.#connections) {
      if (connection === undefined) socket.destroy();
      else connection.disconnect('unavailable', 'the server stops');
    }
    await Promise.all(closed);
    this.#changes[Symbol.dispose]();
    this.#rules?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeListener(server: Server): Promise<void> {
    if (!this.#servers.delete(server)) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #accept(socket: Socket, tls: boolean): void {
    const peer = peerOf(socket);
    socket.on('error', () => undefined);
    const refusal = this.#refusal(peer);
    if (refusal !== undefined) {
      this.#log({ kind: 'refused', address: peer.address, reason: refusal });
      if (tls) socket.destroy();
      else socket.end(encodeDisconnection({ code: 'busy', message: refusal }), () => socket.destroy());
      return;
    }
    const open: { readonly socket: Socket; connection?: LdapConnection } = { socket };
    this.#connections.add(open);
    this.#count(peer, 1);
    socket.on('close', () => {
      this.#connections.delete(open);
      this.#count(peer, -1);
    });
    if (tls) void this.#beginWithTls(socket, open);
    else open.connection = this.#open(socket, peer);
  }

  async #beginWithTls(socket: Socket, open: { connection?: LdapConnection }): Promise<void> {
    try {
      const secured = await this.#upgrade?.(socket);
      if (secured !== undefined) open.connection = this.#open(secured.socket, secured.peer);
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

  #open(socket: Socket, peer: Peer): LdapConnection {
    const id = String(this.#next);
    this.#next += 1;
    return new LdapConnection(id, socket, peer, {
      gate: this.#gate,
      operations: this.#operations,
      limits: this.#limits,
      log: this.#log,
      currently: (principal) => this.#currently(principal),
      ...(this.#upgrade && { startTls: this.#upgrade }),
    });
  }

  /** Strangers fill the network's places; the local administrator always gets in. */
  #refusal({ address, transport }: Peer): string | undefined {
    if (transport === 'unix') return undefined;
    const local = this.#sources.get('') ?? 0;
    if (this.#connections.size - local >= this.#limits.maxConnections) return 'too many connections';
    const same = this.#sources.get(sourceOf(address)) ?? 0;
    return same >= this.#limits.maxConnectionsPerSource ? 'too many connections from this address' : undefined;
  }

  #count({ address }: Peer, change: 1 | -1): void {
    const source = sourceOf(address);
    const count = (this.#sources.get(source) ?? 0) + change;
    if (count === 0) this.#sources.delete(source);
    else this.#sources.set(source, count);
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
  });
  return {
    bind: bindOperation(authenticator, log),
    search: searchOperation({ store, policy, system, limits }, { dirSync, contentSync, persistentSearch }),
    compare: compareOperation({ store, policy }, system),
    extended: extendedOperation({ store, policy, hasher, log }),
    ...updateOperations({ store, policy, system, hasher, log }),
  };
}
