/** Certificates in files as administrators have them: PEM or DER, one or a chain, with or without the private key. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import {
  certificateNameDifference,
  formatTlsCertificateName,
  type ParsedCertificate,
  readCertificate,
  type TlsCertificateName,
} from '../tls/index.ts';
import { CertificateError } from './certificate-error.ts';
import { attempt, certificateBlock, privateKeyBlock } from './key-material.ts';

/** What a file says of itself; the key stays in here. */
export interface CertificateFile {
  /** The certificate that the file is about: of a chain the one that issued no other. */
  readonly leaf: ParsedCertificate;
  /** 'none': the file holds no key. */
  readonly key: 'none' | 'own' | 'another';
}

/** Throws CertificateError for what does not read. `keys: 'ignored'` does not look at keys, so that none is in the way. */
function readCertificateFile(data: Buffer, keys: 'checked' | 'ignored' = 'checked'): CertificateFile {
  const text = data.toString('latin1');
  const pem = text.includes('-----BEGIN ');
  const blocks = pem ? (text.match(certificateBlock) ?? []) : [data];
  if (blocks.length === 0) throw new CertificateError('the file holds no certificate');
  const certificates = blocks.map((block, i) =>
    attempt(blocks.length === 1 ? 'the certificate does not read' : `certificate ${i + 1} does not read`, () => ({
      x509: new X509Certificate(block),
      parsed: readCertificate(block),
    })),
  );
  const leaf = leafOf(certificates);
  return { leaf: leaf.parsed, key: keys === 'ignored' || !pem ? 'none' : keyState(text, leaf.x509) };
}

interface One {
  readonly x509: X509Certificate;
  readonly parsed: ParsedCertificate;
}

/** Some write the root first. Of several that issued no other, one that is no authority goes before one that is. */
function leafOf(certificates: readonly One[]): One {
  const leaves = certificates.filter(
    (one) => !certificates.some((other) => other !== one && !same(one, other) && other.x509.checkIssued(one.x509)),
  );
  const leaf = leaves.find(({ parsed }) => !parsed.isCa) ?? leaves[0] ?? certificates[0];
  if (leaf === undefined) throw new CertificateError('the file holds no certificate');
  return leaf;
}

function same(a: One, b: One): boolean {
  return a.parsed.thumbprint === b.parsed.thumbprint;
}

function keyState(text: string, leaf: X509Certificate): CertificateFile['key'] {
  const keys = (text.match(new RegExp(privateKeyBlock, 'g')) ?? []).map(readKey);
  if (keys.length === 0) return 'none';
  const belongs = attempt('the public key of the certificate does not read', () =>
    keys.some((key) => leaf.checkPrivateKey(key)),
  );
  return belongs ? 'own' : 'another';
}

function readKey(block: string): KeyObject {
  if (/ENCRYPTED/.test(block)) throw new CertificateError('the private key is encrypted, so it cannot be compared');
  return attempt('the private key does not read', () => createPrivateKey(block));
}

/** Does a certificate satisfy a TlsCertificateName, and if not, where is the first difference? */
export interface CertificateMatch {
  readonly match: boolean;
  readonly reason: string;
}

/** Throws CertificateError for what does not read. `key: 'any'` looks at the name alone. */
export function matchCertificateFile(
  data: Buffer,
  name: TlsCertificateName,
  { key = 'own' }: { readonly key?: 'own' | 'any' } = {},
): CertificateMatch {
  const file = readCertificateFile(data, key === 'any' ? 'ignored' : 'checked');
  const difference = certificateNameDifference(file.leaf, name);
  if (difference !== undefined) return { match: false, reason: difference };
  if (file.key === 'another')
    return { match: false, reason: 'the private key in the file does not belong to the certificate' };
  const keyNote = { own: ', and the key belongs to it', none: '' }[file.key];
  return { match: true, reason: `issuer and subject are those of the name${keyNote}` };
}

/**
 * The name to write into a connector. Throws CertificateError where the file does not read, and RangeError where no name
 * can stand for the certificate.
 */
export function nameOfCertificateFile(data: Buffer): string {
  return formatTlsCertificateName(readCertificateFile(data, 'ignored').leaf);
}
