/** A certificate with its private key and chain: from PEM or PKCS#12, to and from the store's own files. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';

export interface KeyMaterial {
  readonly key: KeyObject;
  /** Leaf first; each is issued by the next. The root is left out unless it is the leaf. */
  readonly chain: readonly X509Certificate[];
  readonly services: readonly string[];
  readonly friendlyName: string;
}

export const certificateBlock = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;
export const privateKeyBlock = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----[^-]*(?:-[^-]+)*?-----END \1-----/;

/** Reads key and certificates from one PEM text, in any order. Throws CertificateError; never repeats a key in it. */
export function readPem(pem: string, passphrase?: string): Pick<KeyMaterial, 'key' | 'chain'> {
  const block = privateKeyBlock.exec(pem)?.[0];
  if (block === undefined) throw new CertificateError('the PEM text has no private key');
  const key = attempt('the private key does not read: wrong passphrase, or damaged', () =>
    createPrivateKey({ key: block, ...(passphrase === undefined ? {} : { passphrase }) }),
  );
  const certificates = attempt('a certificate does not read', () =>
    (pem.match(certificateBlock) ?? []).map((text) => new X509Certificate(text)),
  );
  return { key, chain: chainFor(key, certificates) };
}

/** The certificate of the key, and then issuer by issuer. Throws CertificateError when none belongs to the key. */
export function chainFor(key: KeyObject, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const leaf = certificates.find((one) => one.checkPrivateKey(key));
  if (leaf === undefined) throw new CertificateError('no certificate belongs to the private key');
  const chain = [leaf];
  for (let last = leaf; ; ) {
    const issuer = certificates.find((one) => !chain.includes(one) && last.checkIssued(one) && !one.checkIssued(one));
    if (issuer === undefined) return chain;
    chain.push(issuer);
    last = issuer;
  }
}

/** Runs what throws messages of OpenSSL, which tell an administrator nothing. */
export function attempt<T>(problem: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new CertificateError(problem, { cause });
  }
}

/** Text before the first block is ignored by every reader of PEM; the store keeps its own facts there. */
export function printFile({ key, chain, services, friendlyName }: KeyMaterial): string {
  const clean = (text: string): string => text.replace(/[^ -,.-~]/g, ' ');
  return [
    `Services: ${clean(services.join(', '))}`,
    `FriendlyName: ${clean(friendlyName)}`,
    `${key.export({ type: 'pkcs8', format: 'pem' }).toString()}${printChain(chain)}`,
  ].join('\n');
}

/** PEM, leaf first. */
export function printChain(chain: readonly X509Certificate[]): string {
  return chain.map((certificate) => certificate.toString()).join('');
}

/** Reads what printFile wrote. Throws CertificateError. */
export function readFileText(text: string): KeyMaterial {
  const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const services = field('Services')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return { ...readPem(text), services, friendlyName: field('FriendlyName') };
}
