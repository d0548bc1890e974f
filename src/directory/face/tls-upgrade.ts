/** TLS on accepted sockets, for StartTLS and for listeners that begin with it. */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { FairTurns } from '../../base/index.ts';
import type { Peer, PeerCertificate } from './access/identity.ts';
import { peerOf, sourceOf } from './access/peer.ts';
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

/**
 * Upgrade that rejects after `handshakeMs`. A handshake costs more than anything else that a stranger may ask for: it waits for its
 * turn, from the moment the client has spoken.
 */
export function tlsUpgrade(identity: TlsIdentity, handshakeMs: number, turns: FairTurns): TlsUpgrade {
  return (plain) =>
    new Promise((resolve, reject) => {
      const peer = peerOf(plain);
      let socket: TLSSocket | undefined;
      const fail = (error: Error): void => {
        clearTimeout(timer);
        // In this order: the socket below first, then its TLS, within an event of TLS, ends Node.js (24.21) by SIGSEGV.
        socket?.destroy();
        plain.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error('the TLS handshake took too long')), handshakeMs);
      const closed = (): void => fail(new Error('the connection ended in the TLS handshake'));
      const begin = (): void => {
        // Not before: without a listener a resume that came in between would throw away what waits.
        plain.off('readable', spoken);
        // At its end there is nothing to read, and reading tells the socket so.
        if (plain.readableLength === 0) plain.read();
        if (plain.destroyed || plain.readableEnded) return;
        try {
          socket = serverSide(plain, identity.secureContext());
        } catch (error) {
          return fail(error as Error);
        }
        plain.off('close', closed);
        socket.once('error', fail);
        socket.once('_tlsError', fail);
        socket.once('close', closed);
        const secure = socket;
        socket.once('secure', () => {
          clearTimeout(timer);
          secure.off('error', fail);
          secure.off('close', closed);
          resolve({ socket: secure, peer: securePeer(peer, secure, identity.authoritiesNameAccounts === true) });
        });
      };
      plain.once('close', closed);
      let heard = false;
      const spoken = (): void => {
        if (heard) return;
        heard = true;
        turns.run(sourceOf(peer.address), begin);
      };
      plain.on('readable', spoken);
    });
}

const serverSide = (plain: Socket, secureContext: SecureContext): TLSSocket =>
  new TLSSocket(plain, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false });

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
