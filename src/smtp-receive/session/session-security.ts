import { type NegotiatedTls, type RevocationVerdict, type TlsDescription, TrustAnchors } from '../../tls/index.ts';
import { ClientIdentity, type ShownChain } from '../rights/client-certificate.ts';
import { recognize } from '../rights/direct-trust.ts';
import type { Principal } from '../rights/principal.ts';
import type { CertificatePicker } from './contract.ts';
import type { SessionLog } from './session-log.ts';
import type { SessionOrigin, SessionParts } from './session-parts.ts';

const nobodyAsks: RevocationVerdict = { state: 'unknown', reason: 'this process asks no issuers' };

/** The TLS of one session: the certificate that is shown, what was reached, and who the client's certificate stands for. */
export class SessionSecurity {
  /** Undefined in the clear. */
  tls: TlsDescription | undefined;
  /** Undefined: no certificate was asked for or shown. */
  client: ClientIdentity | undefined;
  /** The server of the organization whose key the client has: direct trust. */
  server: Principal | undefined;
  /** While the issuers of the client's certificate are asked for its revocation. */
  clientKnown: Promise<void> | undefined;
  readonly #origin: SessionOrigin;
  readonly #parts: SessionParts;
  readonly #log: SessionLog;

  constructor(origin: SessionOrigin, parts: SessionParts, log: SessionLog) {
    this.#origin = origin;
    this.#parts = parts;
    this.#log = log;
  }

  /** The certificate for STARTTLS. */
  pickCertificate(): ReturnType<CertificatePicker['pick']> {
    return this.#parts.certificates.pick(this.#origin.profile.certificateRequest);
  }

  /** The handshake is done. */
  reached(negotiated: NegotiatedTls, shown: ShownChain | undefined): void {
    this.tls = this.#origin.profile.describe(negotiated);
    this.client = this.#identify(shown);
    const { protocol, cipher, text } = this.tls;
    this.#parts.journal.emit({
      ...this.#head(),
      kind: 'tls-reached',
      direction: 'receive',
      protocol,
      cipher,
      ...this.#facts(),
    });
    this.#log.info(text, '');
    this.server = this.#recognize(shown);
    for (const warning of this.client?.verdict.warnings ?? []) this.#log.info(warning, 'Client certificate');
    this.clientKnown = this.#askIssuers();
  }

  #identify(shown: ShownChain | undefined): ClientIdentity | undefined {
    const { clientPolicy } = this.#origin.profile;
    if (clientPolicy === undefined || shown === undefined) return undefined;
    const anchors = this.#parts.certificates.trustAnchors?.(clientPolicy.authorities) ?? new TrustAnchors([]);
    return ClientIdentity.of(clientPolicy, shown, { anchors, now: this.#parts.clock.now() });
  }

  /** Told on every connector that would know one, also of clients that are none. */
  #recognize(shown: ShownChain | undefined): Principal | undefined {
    const { pinnedKeys } = this.#origin.profile;
    if (pinnedKeys === undefined || shown === undefined) return undefined;
    const { server, key, reason } = recognize(pinnedKeys, shown);
    this.#parts.journal.emit({ ...this.#head(), kind: 'direct-trust', server: server?.name ?? '', key, reason });
    return server;
  }

  #askIssuers(): Promise<void> | undefined {
    const { client } = this;
    const path = client?.toAsk;
    if (client === undefined || path === undefined) return undefined;
    const asking = this.#parts.revocation?.check(path) ?? Promise.resolve(nobodyAsks);
    return asking.then((verdict) => {
      this.client = client.after(verdict);
      const { state, reason } = verdict;
      this.#parts.journal.emit({
        ...this.#head(),
        kind: 'revocation-checked',
        direction: 'receive',
        peer: client.subject,
        state,
        reason,
      });
      this.#log.info(`${state}: ${reason}`, 'Revocation of the client certificate');
    });
  }

  /** For the event: what was demanded of the client, what it showed, and the verdict. */
  #facts(): { level: string; peer: string; demanded?: string; certificate?: string } {
    const { client } = this;
    if (client === undefined) return { level: 'encrypted', peer: '' };
    const { acceptable, reason } = client.verdict;
    const { tlsSenderCertificateName } = this.#origin.profile.connector;
    return {
      level: acceptable ? 'certificate' : 'encrypted',
      peer: acceptable ? client.subject : '',
      demanded:
        tlsSenderCertificateName === null
          ? 'DomainSecureEnabled'
          : `TlsSenderCertificateName ${tlsSenderCertificateName}`,
      certificate: reason,
    };
  }

  /** The handshake failed. */
  failed(reason: string): void {
    const consequence = 'the connection is closed';
    this.#parts.journal.emit({
      ...this.#head(),
      kind: 'tls-failed',
      direction: 'receive',
      reason,
      consequence,
    });
    this.#log.info(`TLS negotiation failed with error ${reason}`, '');
  }

  #head(): { at: number; session: string; message: number } {
    return { at: this.#parts.clock.now(), session: this.#origin.id, message: 0 };
  }
}
