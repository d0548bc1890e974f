/** What a TLS socket shows of the peer, in the terms that a policy judges. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { printable } from '../../base/index.ts';
import { describeTls, type PeerIdentity, readCertificate, type TlsDescription } from '../../tls/index.ts';

/**
 * Once for each connection: Node 24 hands out the peer's certificate only the first time it is asked.
 * The chain is OpenSSL's judgement; names are ours, nothing is checked in the handshake itself.
 */
export function peerIdentityOf(socket: Socket): PeerIdentity {
  if (!(socket instanceof TLSSocket)) return { encrypted: false, chainError: '' };
  const chainError: unknown = socket.authorizationError;
  const shown = socket.getPeerX509Certificate();
  const reason = chainError instanceof Error ? chainError.message : typeof chainError === 'string' ? chainError : '';
  const facts = { encrypted: true, chainError: socket.authorized ? '' : reason || 'unknown fault' };
  if (shown === undefined) return facts;
  const chain = chainOf(shown);
  try {
    return { ...facts, chain, certificate: readCertificate(shown.raw) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // OpenSSL took what we cannot read: it stands for no name.
    return { ...facts, chain, certificate: { dnsNames: [], commonName: '' } };
  }
}

/** Most certificates of a chain that are looked at. */
const longestChain = 10;

/** Leaf first; each certificate leads to its issuer among those that were shown, or that are trusted here. */
function chainOf(leaf: X509Certificate): readonly Buffer[] {
  const chain: Buffer[] = [];
  for (let next: X509Certificate | undefined = leaf; next !== undefined; next = next.issuerCertificate) {
    const { raw } = next;
    if (chain.length === longestChain || chain.some((known) => known.equals(raw))) break;
    chain.push(raw);
  }
  return chain;
}

/** Subject and SHA-256 of the certificate that came, for the decisions; '' when none did. */
export function describeCertificate({ certificate, chain: [leaf] = [] }: PeerIdentity): string {
  if (certificate === undefined || leaf === undefined) return '';
  const name = certificate.dnsNames[0] ?? certificate.commonName;
  return `${printable(name, 100)}, SHA-256 ${createHash('sha256').update(leaf).digest('hex')}`;
}

/** Protocol and cipher of a TLS socket in words. */
export function describeSocket(socket: TLSSocket): TlsDescription {
  const { name, standardName } = socket.getCipher();
  return describeTls({ protocol: socket.getProtocol() ?? '', cipher: name, standardName });
}
