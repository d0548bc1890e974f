/** The certificate that a server makes for itself, as Exchange's setup does. */
import { generateKeyPair, randomBytes, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { buildCertificate, purposes } from './certificate-builder.ts';
import type { KeyMaterial } from './key-material.ts';

/** Exchange's setup gives five years. */
const validYears = 5;

/** RSA 2048, CN=<short host>, names of the short host and the FQDN. OpenSSL makes the key off this thread. */
export async function makeSelfSigned(fqdn: string, now: number): Promise<KeyMaterial> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const der = buildCertificate({
    ...requestFor(fqdn, now),
    publicKey,
    signingKey: privateKey,
    issuerPublicKey: publicKey,
  });
  return { key: privateKey, chain: [new X509Certificate(der)], services: ['SMTP'], friendlyName: 'Microsoft Exchange' };
}

type Request = Parameters<typeof buildCertificate>[0];

function requestFor(fqdn: string, now: number): Omit<Request, 'publicKey' | 'signingKey' | 'issuerPublicKey'> {
  const name = fqdn.toLowerCase();
  const host = name.split('.')[0] ?? name;
  const subject = [[{ oid: '2.5.4.3', value: host }]];
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + validYears);
  return {
    subject,
    issuer: subject,
    notBefore: now,
    notAfter: end.getTime(),
    serial: randomSerial(),
    keyUsage: ['digitalSignature', 'keyEncipherment'],
    // Also shown to the next hop as a client.
    extendedKeyUsage: [purposes.serverAuth, purposes.clientAuth],
    dnsNames: host === name ? [name] : [host, name],
  };
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; the second bit set keeps DER from dropping a leading zero. */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
