/** What a TLS socket shows of the peer, in the terms that a policy judges. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describeTls, type PeerIdentity, readCertificate, type TlsDescription } from '../tls/index.ts';

/**
 * Once for each connection: Node 24 hands out the peer's certificate only the first time it is asked.
 * The chain is OpenSSL's judgement; names are ours, nothing is checked in the handshake itself.
 */
export function peerFactsOf(socket: Socket): PeerIdentity {
  if (!(socket instanceof TLSSocket)) return { encrypted: false, chainError: '' };
  const chainError: unknown = socket.authorizationError;
  const shown = socket.getPeerX509Certificate();
  const reason = chainError instanceof Error ? chainError.message : typeof chainError === 'string' ? chainError : '';
  const facts = { encrypted: true, chainError: socket.authorized ? '' : reason || 'unknown fault' };
  if (shown === undefined) return facts;
  try {
    return { ...facts, certificate: readCertificate(shown.raw) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // OpenSSL took what we cannot read: it stands for no name.
    return { ...facts, certificate: { dnsNames: [], commonName: '' } };
  }
}

/** Protocol and cipher of a TLS socket in words. */
export function describeSocket(socket: TLSSocket): TlsDescription {
  const { name, standardName } = socket.getCipher();
  return describeTls({ protocol: socket.getProtocol() ?? '', cipher: name, standardName });
}
