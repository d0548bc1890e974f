/** What vouches for the certificates of next hops: authorities, and their word on revocation. */
import { createSecureContext, type SecureContext } from 'node:tls';
import { printable } from '../../base/index.ts';
import { type PeerIdentity, type RevocationVerdict, type TrustAnchors, verifyChain } from '../../tls/index.ts';
import { ConnectionLost } from './connection-lost.ts';
import type { SendRoute } from './send-route.ts';
import type { SessionLog } from './session-log.ts';

/** Authorities of this machine; the certificate store. */
export interface PeerAuthorities {
  /** The system's and the imported ones, or those of these thumbprints alone. */
  trustAnchors(only?: readonly string[]): TrustAnchors;
  /** A context that OpenSSL judges peers by, with the system's and the imported ones. */
  peerContext(): SecureContext;
}

/** Asks the issuers of a chain (DER, leaf first, anchor last) whether it was revoked. Never rejects. */
export interface RevocationAsker {
  check(path: readonly Buffer[]): Promise<RevocationVerdict>;
}

export interface PeerTrustParts {
  readonly authorities?: PeerAuthorities | undefined;
  readonly revocation?: RevocationAsker | undefined;
  /** Instead of that of `authorities`. */
  readonly secureContext?: SecureContext | undefined;
}

/** No hybrid: its key share is four fifths of a ClientHello. */
export const smallGroups = 'X25519:prime256v1:secp384r1';

const nobodyAsks: RevocationVerdict = { state: 'unknown', reason: 'this process asks no issuers' };

export class PeerTrust {
  readonly #parts: PeerTrustParts;
  #plain: SecureContext | undefined;
  #small: { readonly of: SecureContext; readonly context: SecureContext } | undefined;

  constructor(parts: PeerTrustParts) {
    this.#parts = parts;
  }

  /** For the handshake; follows the imported authorities. */
  get context(): SecureContext {
    const { secureContext, authorities } = this.#parts;
    if (secureContext !== undefined) return secureContext;
    if (authorities !== undefined) return authorities.peerContext();
    this.#plain ??= createSecureContext();
    return this.#plain;
  }

  /** The same, with a ClientHello that fits one packet. */
  get smallContext(): SecureContext {
    const of = this.context;
    // Authorities given to a context of one's own are not to be had again: those of the process judge then.
    if (this.#small?.of !== of) this.#small = { of, context: createSecureContext({ ecdhCurve: smallGroups }) };
    return this.#small.context;
  }

  /** OpenSSL's word, and besides that of the authorities that the connector names. `now`: milliseconds since 1970. */
  narrowed(peer: PeerIdentity, { authorities: only }: SendRoute, now: number): PeerIdentity {
    const { chain = [], chainError } = peer;
    if (only.length === 0 || !peer.encrypted || chainError !== '' || this.#parts.authorities === undefined) return peer;
    const anchors = this.#parts.authorities.trustAnchors(only);
    const { trusted, reason } = verifyChain({ shown: chain, anchors, now });
    return trusted ? peer : { ...peer, chainError: `${reason} (TlsTrustedAuthorities)` };
  }

  /** Asks where the connector itself demands a certificate. Throws ConnectionLost when it does not do. */
  async askIssuers({ chain = [] }: PeerIdentity, route: SendRoute, peer: string, log: SessionLog): Promise<void> {
    const { level } = route.tls.policy;
    if (route.revocation === 'None' || (level !== 'certificate' && level !== 'domain')) return;
    const { state, reason } = (await this.#parts.revocation?.check(chain)) ?? nobodyAsks;
    log.tell('revocation-checked', { direction: 'send', peer, state, reason });
    if (state === 'good' || (state === 'unknown' && route.revocation !== 'Require')) return;
    const told = printable(reason, 300);
    throw new ConnectionLost(
      'policy',
      state === 'revoked'
        ? `the certificate is revoked: ${told}`
        : `whether the certificate is revoked is not known: ${told} (TlsRevocation Require)`,
    );
  }
}
