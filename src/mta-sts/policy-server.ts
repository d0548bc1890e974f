/**
 * Serves our own policy over https (RFC 8461 §3.3): one path, one answer for each connection. Strangers cost little: few
 * connections at a time and in a second, small requests, short lives.
 */
import type { Server as HttpsServer, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  type ListenSource,
  listening,
  sourceNetwork,
} from '../base/index.ts';
import { AcceptedDomainTable, type SnapshotSource } from '../config/index.ts';
import { ownPolicy, policyText } from './own-policy.ts';

/** Chooses among the certificates of this machine; the certificate store. */
export interface PolicyCertificates {
  pick(request: { readonly purpose: string; readonly fqdn: string; readonly serverFqdn: string }): {
    readonly context?: SecureContext;
  };
}

export interface PolicyServerParts {
  readonly snapshots: SnapshotSource;
  readonly certificates: PolicyCertificates;
  readonly clock: Clock;
}

/** Connections at a time, and of those that come from one network (`sourceNetwork`). */
const mostOpen = 64;
const mostOfOne = 8;
/** Connections that are begun in one second, in all and from one network: each costs a handshake. */
const mostPerSecond = 40;
const mostOfOnePerSecond = 10;
/** A connection lives so long at most, in milliseconds, whatever it does. */
const lifeMs = 5_000;
/** Octets of a request line and its header. */
const maxRequestBytes = 4_096;
const backlog = 64;
const prefix = 'mta-sts.';
const path = '/.well-known/mta-sts.txt';

export class PolicyServer implements AsyncDisposable {
  readonly #parts: PolicyServerParts;
  readonly #listeners = new Map<string, Server>();
  readonly #open = new Map<Socket, string>();
  #https: HttpsServer | undefined;
  #second = { number: -1, begun: 0, byNetwork: new Map<string, number>() };

  constructor(parts: PolicyServerParts) {
    this.#parts = parts;
  }

  /** Starts to accept connections on a handle that the supervisor passed, or where it says. Rejects when it cannot listen. */
  async serve(source: ListenSource, binding: Endpoint): Promise<AddressInfo> {
    const https = await this.#server();
    const key = formatEndpoint(binding);
    this.unserve(binding);
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, https));
    this.#listeners.set(key, server);
    try {
      const address = await listening(server, source, backlog);
      // EMFILE and its kin: those who wait come later.
      server.on('error', () => undefined);
      return address;
    } catch (error) {
      this.#listeners.delete(key);
      throw error;
    }
  }

  unserve(binding: Endpoint): void {
    const key = formatEndpoint(binding);
    this.#listeners.get(key)?.close();
    this.#listeners.delete(key);
  }

  /** Whether it serves there. */
  serves(binding: Endpoint): boolean {
    return this.#listeners.has(formatEndpoint(binding));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#listeners.values()) server.close();
    this.#listeners.clear();
    for (const socket of this.#open.keys()) socket.destroy();
    this.#https?.close();
  }

  /** Loaded when the first binding comes: most servers have none. */
  async #server(): Promise<HttpsServer> {
    if (this.#https !== undefined) return this.#https;
    const { createServer: createHttps } = await import('node:https');
    const https = createHttps(
      {
        SNICallback: (name, done) => {
          const context = this.#contextFor(name);
          if (context === undefined) done(new Error(`no policy is served for ${name}`));
          else done(null, context);
        },
        minVersion: 'TLSv1.2',
        maxHeaderSize: maxRequestBytes,
        handshakeTimeout: lifeMs,
        headersTimeout: lifeMs,
        requestTimeout: lifeMs,
      },
      (request, response) => this.#answer(request, response),
    );
    https.maxRequestsPerSocket = 1;
    // What strangers do wrong ends their connection and is nobody's fault.
    https.on('tlsClientError', (_error, socket) => void socket.destroy());
    https.on('clientError', (_error, socket) => void socket.destroy());
    this.#https = https;
    return https;
  }

  #accept(socket: Socket, https: HttpsServer): void {
    socket.on('error', () => undefined);
    const network = sourceNetwork(socket.remoteAddress ?? '');
    if (!this.#admits(network)) return void socket.destroy();
    this.#open.set(socket, network);
    const life = this.#parts.clock.after(lifeMs, () => socket.destroy());
    socket.once('close', () => {
      life.cancel();
      this.#open.delete(socket);
    });
    https.emit('connection', socket);
  }

  #admits(network: string): boolean {
    if (this.#open.size >= mostOpen) return false;
    let ofOne = 0;
    for (const other of this.#open.values()) if (other === network) ofOne += 1;
    if (ofOne >= mostOfOne) return false;
    const number = Math.floor(this.#parts.clock.monotonic() / 1_000);
    if (number !== this.#second.number) this.#second = { number, begun: 0, byNetwork: new Map() };
    const { begun, byNetwork } = this.#second;
    const ofNetwork = byNetwork.get(network) ?? 0;
    // Who is refused for its own haste takes nothing from the others' share.
    if (begun >= mostPerSecond || ofNetwork >= mostOfOnePerSecond) return false;
    this.#second.begun += 1;
    byNetwork.set(network, ofNetwork + 1);
    return true;
  }

  #contextFor(name: string): SecureContext | undefined {
    const host = name.toLowerCase();
    if (!this.#isPolicyHost(host)) return undefined;
    return this.#parts.certificates.pick({ purpose: 'MTA-STS', fqdn: host, serverFqdn: host }).context;
  }

  /** Of an accepted domain. */
  #isPolicyHost(host: string): boolean {
    if (!host.startsWith(prefix)) return false;
    const { acceptedDomains } = this.#parts.snapshots.current;
    return new AcceptedDomainTable(acceptedDomains).find(host.slice(prefix.length)) !== undefined;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { servername } = request.socket as TLSSocket;
    const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    response.setHeader('Connection', 'close');
    response.setHeader('Content-Type', 'text/plain');
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { allow: 'GET, HEAD' });
    // RFC 9110 §15.5.20: the certificate stands for another host.
    if (typeof servername !== 'string' || host !== servername.toLowerCase()) return end(response, 421);
    if (request.url !== path || !this.#isPolicyHost(host)) return end(response, 404);
    const text = policyText(ownPolicy(this.#parts.snapshots.current.server));
    response.writeHead(200, { 'content-length': text.length });
    response.end(request.method === 'HEAD' ? undefined : text);
  }
}

function end(response: ServerResponse, status: number, header: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...header, 'content-length': 0 });
  response.end();
}
