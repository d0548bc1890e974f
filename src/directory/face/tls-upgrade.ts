/** TLS on accepted sockets, for StartTLS and for listeners that begin with it. */
import type { X509Certificate } from 'node:crypto';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Peer, PeerCertificate } from './access/identity.ts';
import { peerOf } from './access/peer.ts';
import type { TlsUpgrade } from './connection.ts';

/** Where the server's certificate comes from; asked for every handshake, so that a new one counts at once. */
export interface TlsIdentity {
  /** Made with `minVersion: 'TLSv1.2'`. */
  secureContext(): SecureContext;
  /**
   * Whether the `ca` of the context are authorities that speak for this directory, so that the subject of a certificate by one
   * of them is the name of an account. Default: false; without a `ca` of its own a context trusts every public authority.
   */
  readonly authoritiesNameAccounts?: boolean;
}

/** Upgrade that rejects after `handshakeMs`. */
export function tlsUpgrade(identity: TlsIdentity, handshakeMs: number): TlsUpgrade {
  return (plain) =>
    new Promise((resolve, reject) => {
      const peer = peerOf(plain);
      const socket = new TLSSocket(plain, {
        isServer: true,
        secureContext: identity.secureContext(),
        requestCert: true,
        rejectUnauthorized: false,
      });
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        plain.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error('the TLS handshake took too long')), handshakeMs);
      const closed = (): void => fail(new Error('the connection ended in the TLS handshake'));
      socket.once('error', fail);
      socket.once('_tlsError', fail);
      socket.once('close', closed);
      socket.once('secure', () => {
        clearTimeout(timer);
        socket.off('error', fail);
        socket.off('close', closed);
        resolve({ socket, peer: securePeer(peer, socket, identity.authoritiesNameAccounts === true) });
      });
    });
}

function securePeer(peer: Peer, socket: TLSSocket, byAuthority: boolean): Peer {
  const certificate = socket.getPeerX509Certificate();
  const trusted = byAuthority && (socket.authorized || verified(socket));
  return { ...peer, tls: true, confidential: true, ...(certificate && { certificate: factsOf(certificate, trusted) }) };
}

/** A TLS socket without a tls.Server does not fill in `authorized`: OpenSSL's verdict is asked for here. */
function verified(socket: TLSSocket): boolean {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { verifyError(): Error | null } };
  return handle?.verifyError() === null;
}

function factsOf({ subject, raw, validFrom, validTo }: X509Certificate, trusted: boolean): PeerCertificate {
  return {
    // Node writes one RDN a line, in the order of the certificate: LDAP names begin at the other end.
    subject: subject.split('\n').reverse().join(','),
    raw,
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
    trusted,
  };
}
