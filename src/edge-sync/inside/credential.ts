/** What the inside proves itself by on an edge: a key of its own with a certificate for one account, and its successor. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { buildCertificate, purposes, randomSerial } from '../../certificates/index.ts';
import type { CredentialRequest } from '../edge/credential-service.ts';
import { formatAccountName, parseAccountName } from '../edge/place.ts';

export interface Credential {
  /** `ESRA.<edge>.<server>.<n>`. */
  readonly user: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

const dayMs = 86_400_000;
const lifetimeMs = 30 * dayMs;
/** The next one is made so long before the end, and used from the second mark on. */
const madeBeforeMs = 7 * dayMs;
const usedBeforeMs = 3 * dayMs;

/** A new key and certificate. */
export function newCredential(edge: string, server: string, number: number, now: number): Credential {
  const user = formatAccountName({ edge, server, number });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const subject = [[{ oid: '2.5.4.3', value: user }]];
  const der = buildCertificate({
    subject,
    issuer: subject,
    // The clocks of both sides may differ.
    notBefore: now - dayMs,
    notAfter: now + lifetimeMs,
    serial: randomSerial(),
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [purposes.clientAuth],
    publicKey,
    signingKey: privateKey,
    issuerPublicKey: publicKey,
  });
  return {
    user,
    certificate: new X509Certificate(der).toString(),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    expires: now + lifetimeMs,
  };
}

/** What the edge is asked for. */
export function requestOf({ user, certificate, expires }: Credential): string {
  const request: CredentialRequest = {
    user,
    certificate: new X509Certificate(certificate).raw.toString('base64'),
    expires,
  };
  return JSON.stringify(request);
}

/** The credential to use now, of one and its successor. */
export function inForce(current: Credential, next: Credential | undefined, now: number): Credential {
  return next !== undefined && now >= current.expires - usedBeforeMs ? next : current;
}

/** Whether a successor is to be made now. */
export function needsNext(current: Credential, next: Credential | undefined, now: number): boolean {
  return next === undefined && now >= current.expires - madeBeforeMs;
}

/** The successor of a credential. */
export function successor({ user }: Credential, now: number): Credential {
  const name = parseAccountName(user);
  if (name === undefined) throw new RangeError(`'${user}' is no account of EdgeSync`);
  return newCredential(name.edge, name.server, name.number + 1, now);
}
