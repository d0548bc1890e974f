/** EdgeSync on the edge, as its directory process runs it: the accounts, the lease, the keys it is known by. */
import { X509Certificate } from 'node:crypto';
import { type Clock, keyDigest } from '../../base/index.ts';
import type { CertificateEntry, CertificateStore } from '../../certificates/index.ts';
import { type AccessPolicy, Argon2Hasher, DirectoryAccessPolicy, type DirectoryStore } from '../../directory/index.ts';
import { ConnectorLogons, type ConnectorLogonsParts } from './connector-logons.ts';
import { CredentialService, type CredentialServiceParts } from './credential-service.ts';
import { EdgeSubscription, serviceActor } from './edge-subscription.ts';
import { LeasePolicy } from './lease-policy.ts';
import { type EdgePlace, subscriptionDn } from './place.ts';
import { presentedCertificate } from './presented-certificate.ts';
import { keepRecipientKey, recipientKeyFile } from './recipient-key-file.ts';

export interface EdgeSideParts {
  readonly store: DirectoryStore;
  readonly certificates: CertificateStore;
  /** The machine's own seal, for logons of connectors. */
  readonly secrets: ConnectorLogonsParts['secrets'];
  readonly place: EdgePlace;
  /** Folder of EdgeSync in the state directory. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: CredentialServiceParts['log'];
  /** The key of the address hashes changed: workers read it anew. */
  readonly keyChanged: () => void;
  readonly ruleProblem: ConstructorParameters<typeof DirectoryAccessPolicy>[1];
}

export class EdgeSide implements Disposable {
  readonly policy: AccessPolicy;
  readonly credentials: CredentialService;
  readonly logons: ConnectorLogons;
  readonly #parts: EdgeSideParts;
  readonly #rules: DirectoryAccessPolicy;
  readonly #certificates: Disposable;

  constructor(parts: EdgeSideParts) {
    this.#parts = parts;
    const { store, place, clock, certificates, log } = parts;
    this.#rules = new DirectoryAccessPolicy(store, parts.ruleProblem);
    this.policy = new LeasePolicy(this.#rules, { store, place, clock });
    const hasher = new Argon2Hasher();
    const unseal = (sealed: Buffer): Promise<Buffer | undefined> => certificates.unseal(sealed);
    new EdgeSubscription({ store, place, clock, hasher }).bringUp().catch((error: unknown) => {
      log.warn({ err: error }, 'EdgeSync: the subscription could not be brought up to date');
    });
    this.logons = new ConnectorLogons({ store, place, unseal, secrets: parts.secrets, log });
    this.credentials = new CredentialService({
      store,
      place,
      clock,
      log,
      hasher,
      unseal,
      keepKey: async (key) => {
        await keepRecipientKey(recipientKeyFile(parts.folder), key);
        parts.keyChanged();
      },
    });
    this.#certificates = certificates.onChange(() => void this.#publish());
    void this.#publish();
  }

  /** The certificate that LDAPS shows, of one that is meant for it; undefined: that one. */
  presented(meant: CertificateEntry | undefined): CertificateEntry | undefined {
    const { store, place, certificates, clock } = this.#parts;
    const pinned = store.get(subscriptionDn(place))?.values('edgeSyncPinnedKey') ?? [];
    const now = clock.now();
    const valid = certificates.list().filter(({ certificate }) => certificate.notAfter > now);
    return presentedCertificate(meant, valid, pinned);
  }

  /** Tells the inside which keys this edge has certificates for, so that a change of certificates heals by itself. */
  async #publish(): Promise<void> {
    const { store, place, certificates, log } = this.#parts;
    const entry = store.get(subscriptionDn(place));
    if (entry === undefined) return;
    const keys = [...new Set(certificates.list().map(({ chainPem }) => keyDigest(new X509Certificate(chainPem))))];
    const known = entry.values('edgeSyncServerKey');
    if (keys.length === known.length && keys.every((key) => known.includes(key))) return;
    try {
      const values = keys.map((key) => Buffer.from(key));
      const modifications = [{ operation: 'replace', attribute: 'edgeSyncServerKey', values }] as const;
      await store.modify(subscriptionDn(place), modifications, { actor: serviceActor });
    } catch (error) {
      log.warn({ err: error }, 'EdgeSync: the keys of this server could not be published');
    }
  }

  [Symbol.dispose](): void {
    this.logons[Symbol.dispose]();
    this.credentials[Symbol.dispose]();
    this.#certificates[Symbol.dispose]();
    this.#rules[Symbol.dispose]();
  }
}
