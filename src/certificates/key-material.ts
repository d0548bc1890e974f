/** A certificate with its private key and chain: from PEM or PKCS#12, to and from the store's own files. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { type KeyPassphrase, printKey, readKey } from './key-sealing.ts';

export interface KeyMaterial {
  readonly key: KeyObject;
  /** Leaf first; each is issued by the next. The root is left out unless it is the leaf. */
  readonly chain: readonly X509Certificate[];
  readonly services: readonly string[];
  readonly friendlyName: string;
  /** Export-ExchangeCertificate may hand out the key. */
  readonly exportable: boolean;
}

export const certificateBlock = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;
export const privateKeyBlock = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----[^-]*(?:-[^-]+)*?-----END \1-----/;

/** Reads key and certificates from one PEM text, in any order. Throws CertificateError; never repeats a key in it. */
export function readPem(pem: string, passphrase?: string): Pick<KeyMaterial, 'key' | 'chain'> {
  const block = privateKeyBlock.exec(pem)?.[0];
  if (block === undefined) throw new CertificateError('the PEM text has no private key');
  const key = readKey(block, passphrase);
  return { key, chain: chainFor(key, readCertificates(pem)) };
}

/** The certificates of a PEM text, in its order. Throws CertificateError. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  return attempt('a certificate does not read', () =>
    (pem.match(certificateBlock) ?? []).map((text) => new X509Certificate(text)),
  );
}

/** Certificates from PEM, or one from DER. Throws CertificateError. */
export function readAnyCertificates(data: Buffer): readonly X509Certificate[] {
  const text = data.toString('latin1');
  if (text.includes('-----BEGIN ')) {
    const found = readCertificates(text);
    if (found.length > 0) return found;
    throw new CertificateError('the text holds no certificate');
  }
  try {
    return [new X509Certificate(data)];
  } catch (cause) {
    throw new CertificateError('this is neither a certificate nor a PFX with that password', { cause });
  }
}

/** The certificate of the key, and then issuer by issuer. Throws CertificateError when none belongs to the key. */
export function chainFor(key: KeyObject, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const leaf = certificates.find((one) => belongs(one, key));
  if (leaf === undefined) throw new CertificateError('no certificate belongs to the private key');
  return chainOf(leaf, certificates);
}

/** False also for a public key that OpenSSL does not read. */
export function belongs(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

/** The leaf, and then issuer by issuer, as far as they are there. */
export function chainOf(leaf: X509Certificate, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
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

/** Text before the first block is ignored by every reader of PEM; the store keeps its own notes there. */
export function printFile(material: KeyMaterial, passphrase: KeyPassphrase): string {
  const { key, chain, services, friendlyName, exportable } = material;
  return [
    `Services: ${clean(services.join(', '))}`,
    `FriendlyName: ${clean(friendlyName)}`,
    `Exportable: ${exportable ? 'yes' : 'no'}`,
    `${printKey(key, passphrase)}${printChain(chain)}`,
  ].join('\n');
}

/** One line without what begins a block of PEM. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').replaceAll('-----', '- - -');
}

/** PEM, leaf first. */
export function printChain(chain: readonly X509Certificate[]): string {
  return chain.map((certificate) => certificate.toString()).join('');
}

/** Reads what printFile wrote. Throws CertificateError. */
export function readFileText(text: string, passphrase: KeyPassphrase): KeyMaterial {
  const services = noteOf(text, 'Services')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const friendlyName = noteOf(text, 'FriendlyName');
  // Files of the first version have no such note: their keys were all to be had.
  return { ...readPem(text, passphrase), services, friendlyName, exportable: noteOf(text, 'Exportable') !== 'no' };
}

/** A note before the first block. */
export function noteOf(text: string, name: string): string {
  const head = text.slice(0, Math.max(text.indexOf('-----BEGIN'), 0));
  return new RegExp(`^${name}: *(.*)$`, 'm').exec(head)?.[1]?.trim() ?? '';
}
