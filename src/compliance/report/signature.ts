/** Signed evidence: a detached JWS (RFC 7515 appendix F) over the canonical JSON (RFC 8785) of each report. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Report } from './report.ts';

interface Algorithm {
  readonly name: string;
  readonly hash: string | null;
}

/** By the kind of key. Throws RangeError for a key that signs nothing here. */
function algorithmOf(key: KeyObject): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { name: 'ES256', hash: 'sha256' };
  if (type === 'ec' && details?.namedCurve === 'secp384r1') return { name: 'ES384', hash: 'sha384' };
  if (type === 'ed25519') return { name: 'EdDSA', hash: null };
  if (type === 'rsa') return { name: 'RS256', hash: 'sha256' };
  throw new RangeError('the key is none of P-256, P-384, Ed25519, RSA');
}

function payloadOf(reports: readonly Report[]): string {
  return Buffer.from(canonicalize(reports) ?? '', 'utf8').toString('base64url');
}

function signingKey(keyPem: string): Algorithm & { readonly key: KeyObject } {
  let key: KeyObject;
  try {
    key = createPrivateKey(keyPem);
  } catch (cause) {
    throw new RangeError('the key to sign with cannot be read: a private key as PEM without passphrase is needed', {
      cause,
    });
  }
  return { key, ...algorithmOf(key) };
}

/** Throws RangeError for a key that cannot sign: better before a long test than after it. */
export function checkSigningKey(keyPem: string): void {
  signingKey(keyPem);
}

/** The compact form without its payload: 'header..signature'. Throws RangeError for a key that cannot sign. */
export function signReports(reports: readonly Report[], keyPem: string): string {
  const { key, name, hash } = signingKey(keyPem);
  const header = Buffer.from(JSON.stringify({ alg: name, typ: 'edge-tls-report+jws' }), 'utf8').toString('base64url');
  const signature = sign(hash, Buffer.from(`${header}.${payloadOf(reports)}`, 'ascii'), {
    key,
    dsaEncoding: 'ieee-p1363',
  });
  return `${header}..${signature.toString('base64url')}`;
}

/** Whether a signature is that of these reports by this key (public key or certificate, PEM). Throws RangeError for what cannot be read. */
export function verifyReports(reports: readonly Report[], jws: string, keyPem: string): boolean {
  const [header = '', payload, signature = '', ...more] = jws.trim().split('.');
  if (payload !== '' || more.length > 0) throw new RangeError('the signature is no detached JWS');
  let key: KeyObject;
  let named: unknown;
  try {
    key = createPublicKey(keyPem);
    named = (JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { alg?: unknown }).alg;
  } catch (cause) {
    throw new RangeError('the key or the signature cannot be read', { cause });
  }
  const { name, hash } = algorithmOf(key);
  // The key says which algorithm it is for; the header may not choose another.
  if (named !== name) return false;
  return verify(
    hash,
    Buffer.from(`${header}.${payloadOf(reports)}`, 'ascii'),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
}
