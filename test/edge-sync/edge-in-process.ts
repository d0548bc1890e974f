/** The directory of an edge with its LDAPS face in this process, by a clock that a test sets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { SecretBox } from '../../src/certificates/secrets/index.ts';
import { Argon2Hasher, DirectoryStore, LdapServer, StoreAuthenticator } from '../../src/directory/index.ts';
import { EdgeSide, EdgeSideCmdlets } from '../../src/edge-sync/index.ts';
import { placeIn, seedDirectory, serverObjectIn } from '../../src/server-state/directory/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';

/** A clock whose time a test says; its waits are the machine's. */
export class SetClock implements Clock {
  #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  forward(ms: number): void {
    this.#now += ms;
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    return systemClock.after(delayMs, call);
  }
}

export class EdgeInProcess implements AsyncDisposable {
  readonly store: DirectoryStore;
  readonly certificates: CertificateStore;
  readonly side: EdgeSide;
  readonly cmdlets: EdgeSideCmdlets;
  readonly port: number;
  /** What was logged as a warning. */
  readonly warnings: string[];
  readonly #server: LdapServer;
  readonly #folder: string;

  private constructor(
    parts: Pick<EdgeInProcess, 'store' | 'certificates' | 'side' | 'cmdlets' | 'port' | 'warnings'> & {
      readonly server: LdapServer;
      readonly folder: string;
    },
  ) {
    ({
      store: this.store,
      certificates: this.certificates,
      side: this.side,
      cmdlets: this.cmdlets,
      port: this.port,
      warnings: this.warnings,
    } = parts);
    this.#server = parts.server;
    this.#folder = parts.folder;
  }

  static async start(clock: Clock): Promise<EdgeInProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-in-process-'));
    const fqdn = 'edge.corp.example';
    const store = await DirectoryStore.open({
      path: join(folder, 'db'),
      schema: productSchema(),
      clock,
    });
    await seedDirectory(store, 'EdgeTransport');
    const certificates = await CertificateStore.open({ folder: join(folder, 'certificates'), clock });
    await certificates.ensureServerCertificate(fqdn);
    const { configurationDn, serverName } = placeIn(store);
    const place = { configurationDn, serverName, serverDn: serverObjectIn(store, configurationDn).dn };
    const warnings: string[] = [];
    const side = new EdgeSide({
      store,
      certificates,
      secrets: new SecretBox(join(folder, 'certificates')),
      place,
      folder: join(folder, 'edge-sync'),
      clock,
      log: { info: () => undefined, warn: (_, text) => void warnings.push(text) },
      keyChanged: () => undefined,
      ruleProblem: () => undefined,
    });
    const hasher = new Argon2Hasher();
    const presented = () => {
      const meant = certificates.pick({ purpose: 'LDAPS', serverFqdn: fqdn, single: true }).choice.chosen;
      const entry = side.presented(meant) ?? meant;
      if (entry === undefined) throw new Error('no certificate');
      return entry;
    };
    const server = new LdapServer({
      store,
      hasher,
      policy: side.policy,
      authenticator: new StoreAuthenticator({ store, hasher, clock }),
      tls: { secureContext: () => certificates.secureContextFor(presented().thumbprint) },
    });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls: true });
    const cmdlets = new EdgeSideCmdlets({
      store,
      hasher,
      place,
      clock,
      fqdn: () => fqdn,
      sslPort: () => port,
      version: '1',
      certificate: () => presented().chainPem,
      certificates: () => certificates.list().map(({ chainPem }) => chainPem),
      forgetKey: () => Promise.resolve(),
    });
    return new EdgeInProcess({ store, certificates, side, cmdlets, port, warnings, server, folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    this.side[Symbol.dispose]();
    await this.side.credentials.settled();
    await this.side.logons.settled();
    await this.store[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
