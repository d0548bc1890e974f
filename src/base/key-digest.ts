/** What a server is known by: SHA-256 of its public key, which stays when a certificate is renewed (RFC 7469 §2.4). */
import { hash, X509Certificate } from 'node:crypto';

/** 43 characters of base64url. */
export function keyDigest({ publicKey }: X509Certificate): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url');
}

/** Of a certificate in DER. Undefined: it is none, or its key is of a kind that OpenSSL cannot write down; then it is nobody's key. */
export function keyDigestOf(der: Buffer): string | undefined {
  try {
    return keyDigest(new X509Certificate(der));
  } catch {
    return undefined;
  }
}
