/** What a server is known by: SHA-256 of its public key, which stays when a certificate is renewed (RFC 7469 §2.4). */
import { hash, type X509Certificate } from 'node:crypto';

/** 43 characters of base64url. */
export function keyDigest({ publicKey }: X509Certificate): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url');
}
