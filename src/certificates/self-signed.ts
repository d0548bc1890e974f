/** Certificates that a server makes for itself, as Exchange's setup and New-ExchangeCertificate do. */
import { randomBytes, X509Certificate } from 'node:crypto';
import type { DistinguishedName } from '../tls/index.ts';
import { buildCertificate, purposes } from './certificate-builder.ts';
import type { KeyMaterial } from './key-material.ts';
import { type KeyAlgorithm, type KeyPair, makeKeyPair } from './key-pair.ts';
import { nameSteps } from './name-steps.ts';

/** Exchange's setup gives five years. */
const validYears = 5;

export interface SelfSignedWish {
  readonly subject: DistinguishedName;
  readonly dnsNames: readonly string[];
  readonly algorithm: KeyAlgorithm;
  /** RSA only. */
  readonly keyBits: number;
  readonly services: readonly string[];
  readonly friendlyName: string;
  readonly exportable: boolean;
}

/** Subject and names of the server's own: `CN=<short host>`, short host and FQDN. */
export function serverNames(fqdn: string): Pick<SelfSignedWish, 'subject' | 'dnsNames'> {
  const name = fqdn.toLowerCase();
  const host = name.split('.')[0] ?? name;
  return { subject: [[{ oid: '2.5.4.3', value: host }]], dnsNames: host === name ? [name] : [host, name] };
}

/** OpenSSL makes the key off this thread. `now`: milliseconds since 1970. */
export async function makeSelfSigned(wish: SelfSignedWish, now: number, existing?: KeyPair): Promise<KeyMaterial> {
  const { publicKey, privateKey } = existing ?? (await makeKeyPair(wish.algorithm, wish.keyBits));
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + validYears);
  const subject = nameSteps(wish.subject);
  const der = buildCertificate({
    subject,
    issuer: subject,
    notBefore: now,
    notAfter: end.getTime(),
    serial: randomSerial(),
    keyUsage: privateKey.asymmetricKeyType === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
    // Also shown to the next hop as a client.
    extendedKeyUsage: [purposes.serverAuth, purposes.clientAuth],
    dnsNames: wish.dnsNames,
    publicKey,
    signingKey: privateKey,
    issuerPublicKey: publicKey,
  });
  const { services, friendlyName, exportable } = wish;
  return { key: privateKey, chain: [new X509Certificate(der)], services, friendlyName, exportable };
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; the second bit set keeps DER from dropping a leading zero. */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
