/** `edge tls trap`: endpoints that are wrong in one way each, and what a sender makes of them. */
import { randomBytes } from 'node:crypto';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { listening } from '../../base/index.ts';
import { TrapAuthority, type TrapCertificate } from './trap-certificates.ts';
import { type TrapAttempt, TrapSession } from './trap-session.ts';
import { type TrapKind, trapKinds } from './trap-table.ts';

export interface TrapOptions {
  /** Domain below which each endpoint has one of its own. */
  readonly domain: string;
  /** One address for each endpoint, in the order of the table; the last serves the policies. */
  readonly addresses: readonly string[];
  /** Default 25; 0: any, for a sender that is pointed there by hand. */
  readonly port: number;
  /** Port of the policy server; default 443. */
  readonly policyPort: number;
  readonly now: number;
  readonly idleMs: number;
  readonly onAttempt?: (endpoint: TrapEndpoint, attempt: TrapAttempt) => void;
}

/** How many addresses are needed. */
export const trapAddressCount = Object.keys(trapKinds).length + 1;

export interface TrapEndpoint {
  readonly name: string;
  readonly kind: TrapKind;
  /** Domain of its recipients. */
  readonly domain: string;
  readonly host: string;
  readonly address: string;
  port: number;
  /** Address to send to: its local part is the token. */
  readonly recipient: string;
  readonly certificate: TrapCertificate;
  readonly attempts: TrapAttempt[];
}

/** What a sender did at one endpoint. */
export interface TrapResult {
  readonly endpoint: string;
  readonly title: string;
  readonly recipient: string;
  /** 'delivered in clear', 'delivered by TLSv1.3 …', 'given up', 'never came'. */
  readonly outcome: string;
  /** A later attempt in the clear, after TLS was tried. */
  readonly fellBack: boolean;
  /** Sessions in the clear after one that tried TLS, whether anything was delivered or not. */
  readonly retriesInClear: number;
  readonly attempts: number;
  readonly refusedBy: TrapKind['refusedBy'];
}

/** Most attempts remembered for one endpoint. */
const maxAttempts = 1000;

export class Trap implements AsyncDisposable {
  readonly endpoints: readonly TrapEndpoint[];
  readonly rootPem: string;
  policyPort: number;
  readonly #options: TrapOptions;
  readonly #authority: TrapAuthority;
  readonly #servers: { close(done?: () => void): unknown; closeAllConnections?(): void }[] = [];

  /** Throws RangeError when there are too few addresses. */
  constructor(options: TrapOptions) {
    if (options.addresses.length < trapAddressCount) {
      throw new RangeError(`${trapAddressCount} addresses are needed, ${options.addresses.length} were given`);
    }
    this.#options = options;
    this.policyPort = options.policyPort;
    this.#authority = new TrapAuthority(options.now);
    this.rootPem = this.#authority.rootPem;
    this.endpoints = Object.entries(trapKinds).map(([name, kind], i) => {
      const host = `mx.${name}.${options.domain}`;
      return {
        name,
        kind,
        domain: `${name}.${options.domain}`,
        host,
        address: options.addresses[i] ?? '',
        port: options.port,
        recipient: `${randomBytes(6).toString('hex')}@${name}.${options.domain}`,
        certificate: this.#authority.issue(host, kind.certificate),
        attempts: [],
      };
    });
  }

  /** Opens all endpoints and the policy server. Rejects with what the system says of an address that cannot be had. */
  async start(): Promise<void> {
    for (const endpoint of this.endpoints) {
      const server = createServer((socket) => this.#serve(endpoint, socket));
      server.maxConnections = 50;
      endpoint.port = await listen(server, endpoint.port, endpoint.address);
      this.#servers.push(server);
    }
    await this.#servePolicies();
  }

  #serve(endpoint: TrapEndpoint, socket: Socket): void {
    const { kind, host } = endpoint;
    const context = kind.starttls === 'broken' ? undefined : contextOf(endpoint.certificate, kind.oldTls === true);
    new TrapSession(socket, {
      kind,
      host,
      context,
      idleMs: this.#options.idleMs,
      onEnd: (attempt) => {
        if (endpoint.attempts.length < maxAttempts) endpoint.attempts.push(attempt);
        this.#options.onAttempt?.(endpoint, attempt);
      },
    });
  }

  async #servePolicies(): Promise<void> {
    const contexts = new Map<string, SecureContext>();
    for (const { domain } of this.endpoints) {
      const name = `mta-sts.${domain}`;
      contexts.set(name, contextOf(this.#authority.issue(name, 'good'), false));
    }
    const fallback = this.#authority.issue(`mta-sts.${this.#options.domain}`, 'good');
    const server = createHttpsServer(
      { cert: fallback.certPem, key: fallback.keyPem, SNICallback: (name, done) => done(null, contexts.get(name)) },
      (request, response) => {
        const endpoint = this.endpoints.find(
          ({ domain }) => request.headers.host?.split(':')[0] === `mta-sts.${domain}`,
        );
        const found =
          endpoint === undefined || request.url !== '/.well-known/mta-sts.txt' ? undefined : policyOf(endpoint);
        response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'text/plain' });
        response.end(found ?? 'no policy\n');
      },
    );
    server.on('tlsClientError', () => undefined);
    this.policyPort = await listen(server, this.policyPort, this.#options.addresses[trapAddressCount - 1] ?? '');
    this.#servers.push(server);
  }

  /** Lines of the zone file of the domain, to be signed for the TLSA records to count. */
  zone(): string[] {
    const policyAddress = this.#options.addresses[trapAddressCount - 1] ?? '';
    const lines = this.endpoints.flatMap(({ name, host, address, kind, certificate, port }) => {
      const digest = kind.tlsa === 'good' ? certificate.spkiSha256 : '0'.repeat(64);
      return [
        `${name} IN MX 10 ${host}.`,
        `mx.${name} IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}`,
        ...(kind.tlsa === 'none' ? [] : [`_${port}._tcp.mx.${name} IN TLSA 3 1 1 ${digest}`]),
        ...(kind.sts === 'none'
          ? []
          : [
              `_mta-sts.${name} IN TXT "v=STSv1; id=${this.#options.now}"`,
              `mta-sts.${name} IN ${policyAddress.includes(':') ? 'AAAA' : 'A'} ${policyAddress}`,
            ]),
      ];
    });
    return lines;
  }

  /** What came of it so far. */
  results(): TrapResult[] {
    return this.endpoints.map(({ name, kind, recipient, attempts }) => {
      const token = recipient.split('@')[0] ?? '';
      const delivered = attempts.find((attempt) => attempt.delivered.includes(token));
      const firstTls = attempts.findIndex(({ triedTls }) => triedTls);
      return {
        endpoint: name,
        title: kind.title,
        recipient,
        outcome: outcomeOf(attempts, delivered),
        fellBack: delivered?.tls === 'clear' && firstTls >= 0 && attempts.indexOf(delivered) > firstTls,
        retriesInClear: firstTls < 0 ? 0 : attempts.slice(firstTls).filter(({ triedTls }) => !triedTls).length,
        attempts: attempts.length,
        refusedBy: kind.refusedBy,
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.closeAllConnections?.();
            server.close(() => resolve());
          }),
      ),
    );
  }
}

function outcomeOf(attempts: readonly TrapAttempt[], delivered: TrapAttempt | undefined): string {
  if (delivered !== undefined)
    return delivered.tls === 'clear' ? 'delivered in clear' : `delivered by ${delivered.tls}`;
  return attempts.length === 0 ? 'never came' : 'given up';
}

function contextOf({ certPem, keyPem }: TrapCertificate, old: boolean): SecureContext {
  const range = old
    ? ({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const)
    : ({ minVersion: 'TLSv1.2' } as const);
  return createSecureContext({ cert: certPem, key: keyPem, ...range });
}

/** RFC 8461 §3.2. */
function policyOf({ kind, host }: TrapEndpoint): string | undefined {
  if (kind.sts === 'none') return undefined;
  const mx = kind.sts === 'good' ? host : `other.${host}`;
  return `version: STSv1\r\nmode: enforce\r\nmx: ${mx}\r\nmax_age: 86400\r\n`;
}

async function listen(server: Server | HttpsServer, port: number, address: string): Promise<number> {
  const bound = await listening(server, { port, host: address });
  server.on('error', () => undefined);
  return bound.port;
}
