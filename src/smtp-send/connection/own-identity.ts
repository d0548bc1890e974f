/** Who we are to the next hop: the certificate that is shown, the password that is known. */
import type { SecureContext } from 'node:tls';
import type { EventOf } from '../../logs/index.ts';
import { type ServerTlsSettings, serverTlsSettings } from '../../tls/index.ts';
import { smallGroups } from './peer-trust.ts';
import type { SessionLog } from './session-log.ts';

/** Chooses among the certificates of this machine; the certificate store. */
export interface ClientCertificates {
  pick(request: {
    purpose: string;
    tlsCertificateName?: string;
    fqdn?: string;
    serverFqdn: string;
    use?: { settings: ServerTlsSettings };
    single?: boolean;
  }): {
    readonly context?: SecureContext;
    readonly event: Omit<EventOf<'certificate-chosen'>, 'kind' | 'at' | 'session' | 'message'>;
  };
}

/** Opens what was sealed for `purpose`. Throws for what does not open. */
export interface Secrets {
  unseal(sealed: string, purpose: string): string;
}

/** Which certificate a client shows. */
export interface ClientWish {
  /** <I>issuer<S>subject, or '' for the certificate that stands for `fqdn`. */
  readonly name: string;
  readonly fqdn: string;
  readonly smallHello: boolean;
  /** Of one key algorithm alone: the peer pins the key. */
  readonly single: boolean;
}

export class OwnIdentity {
  readonly #certificates: ClientCertificates | undefined;
  readonly #secrets: Secrets | undefined;

  constructor(certificates: ClientCertificates | undefined, secrets: Secrets | undefined) {
    this.#certificates = certificates;
    this.#secrets = secrets;
  }

  /** Undefined: none fits, none is shown. */
  clientContext({ name, fqdn, smallHello, single }: ClientWish, log: SessionLog): SecureContext | undefined {
    if (this.#certificates === undefined) return undefined;
    const purpose = 'client certificate';
    const { context, event } = this.#certificates.pick({
      purpose,
      fqdn,
      serverFqdn: fqdn,
      ...(name !== '' && { tlsCertificateName: name }),
      ...(single && { single }),
      ...(smallHello && { use: { settings: { ...serverTlsSettings(null, null), ecdhCurve: smallGroups } } }),
    });
    log.tell('certificate-chosen', event);
    return context;
  }

  /** Throws for what does not open. */
  unseal(sealed: string, purpose: string): string {
    if (this.#secrets === undefined) throw new RangeError('this process opens no sealed passwords');
    return this.#secrets.unseal(sealed, purpose);
  }
}
