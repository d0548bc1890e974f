import { join } from 'node:path';
import { type FaultReport, systemClock } from '../../base/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { Snapshot, SnapshotPlace } from '../../config/index.ts';
import { type DirectoryStore, type FaceEvent, LdapServer } from '../../directory/index.ts';
import { type EdgeSide, RecipientWrites } from '../../edge-sync/index.ts';
import type { ServiceLog } from '../../logs/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { hasReplicationAccount, serverObjectIn } from '../../server-state/directory/index.ts';
import { programVersion } from '../program-version.ts';
import { LdapListeners } from './ldap-listeners.ts';

export interface LdapParts {
  readonly store: DirectoryStore;
  readonly certificates: CertificateStore;
  readonly log: ServiceLog['log'];
  readonly faults: FaultReport;
  /** The server's object in force. */
  readonly settings: () => Snapshot['server'];
  /** The lease and the keys of EdgeSync; on an edge alone. */
  readonly edgeSide: EdgeSide | undefined;
}

/** The LDAP face of the directory, on its local socket and the addresses that the server's object names. */
export class LdapEndpoints implements AsyncDisposable {
  /** The local socket, on which cmdlets reach the directory. */
  readonly socketPath: string;
  readonly #ldap: LdapServer;
  readonly #listeners: LdapListeners;
  readonly #log: ServiceLog['log'];
  readonly #recipients = new RecipientWrites(
    () => systemClock.monotonic(),
    ({ counts, ...facts }) => this.#log.info({ ...facts, ...counts }, 'LDAP writes of recipients'),
  );

  constructor(paths: StatePaths, { configurationDn }: SnapshotPlace, parts: LdapParts) {
    const { store, certificates, log, faults, settings, edgeSide } = parts;
    this.socketPath = join(paths.run, 'ldapi');
    this.#log = log;
    this.#ldap = new LdapServer({
      store,
      log: (event) => this.#heard(event),
      hostName: settings().fqdn,
      version: programVersion(),
      serverDn: serverObjectIn(store, configurationDn).dn,
      ...(edgeSide && { policy: edgeSide.policy }),
      tls: {
        secureContext: () => {
          // The key that the inside knows, as long as there is one.
          const picked = certificates.pick({ purpose: 'LDAPS', serverFqdn: settings().fqdn, single: true });
          const known = edgeSide?.presented(picked.choice.chosen);
          if (known !== undefined) return certificates.secureContextFor(known.thumbprint);
          const { context } = picked;
          if (context === undefined) throw new Error('there is no certificate for LDAPS');
          return context;
        },
      },
    });
    this.#listeners = new LdapListeners({
      listen: (target) => this.#ldap.listen(target),
      settings,
      isSubscribed: () => hasReplicationAccount(store, configurationDn),
      failed: (endpoint, error) => tellUnheard(faults, endpoint, error),
    });
  }

  /** What is listened on, for people. */
  get lines(): readonly string[] {
    return this.#listeners.lines;
  }

  /** Listens on the local socket, and wherever else that is possible. */
  async listen(): Promise<void> {
    await this.#ldap.listen({ path: this.socketPath });
    await this.apply();
  }

  /** Listens where the configuration in force says. */
  async apply(): Promise<void> {
    await this.#listeners.apply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ldap.close();
  }

  #heard(event: FaceEvent): void {
    if (this.#recipients.take(event)) return;
    if (event.kind === 'fault')
      this.#log.error({ err: event.error, connection: event.connection }, 'LDAP: fault of the program');
    else if (['bind', 'write', 'refused', 'omitted'].includes(event.kind)) this.#log.info(event, `LDAP ${event.kind}`);
    else this.#log.debug(event, `LDAP ${event.kind}`);
  }
}

/** Mail does not depend on it, and the local socket still answers: say so and go on. */
function tellUnheard(faults: FaultReport, endpoint: string, error: Error | undefined): void {
  const name = `LDAP ${endpoint}`;
  if (error === undefined) return faults.end(name);
  faults.begin(name, `${endpoint} cannot be listened on: ${error.message}`);
  process.stderr.write(`edge: ${endpoint} cannot be listened on: ${error.message}\n`);
}
