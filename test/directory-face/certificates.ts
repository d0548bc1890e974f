/** A certification authority of the tests, and what it issues. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { buildCertificate, type NameSteps, purposes, randomSerial } from '../../src/certificates/index.ts';

export const dayMs = 86_400_000;
export const organization = (value: string): NameSteps[number] => [{ oid: '2.5.4.10', value }];
export const commonName = (value: string): NameSteps[number] => [{ oid: '2.5.4.3', value }];

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const makePair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const caName = [commonName('Test CA')];

export function certificate(
  subject: NameSteps,
  pair: Pair,
  issuer: Pair,
  ca = false,
): { readonly cert: string; readonly key: string } {
  const der = buildCertificate({
    subject,
    issuer: caName,
    notBefore: Date.now() - dayMs,
    notAfter: Date.now() + dayMs,
    serial: randomSerial(),
    publicKey: pair.publicKey,
    signingKey: issuer.privateKey,
    issuerPublicKey: issuer.publicKey,
    ca,
    keyUsage: ca ? ['keyCertSign'] : ['digitalSignature'],
    ...(!ca && {
      extendedKeyUsage: [purposes.serverAuth, purposes.clientAuth],
      dnsNames: ['localhost'],
      ipAddresses: ['127.0.0.1'],
    }),
  });
  const cert = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
  return { cert, key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export const caPair = makePair();
export const ca = certificate(caName, caPair, caPair, true).cert;
export const leaf = (subject: NameSteps, issuer = caPair) => certificate(subject, makePair(), issuer);
export const contextOf = (name: string): SecureContext =>
  createSecureContext({ ...leaf([commonName(name)]), ca, minVersion: 'TLSv1.2' });
