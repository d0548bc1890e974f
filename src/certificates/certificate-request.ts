/** Requests that wait for their certificate: the key is made here and never leaves. PKCS #10, RFC 2986. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { DistinguishedName } from '../tls/index.ts';
import { buildSigningRequest } from './certificate-builder.ts';
import { CertificateError } from './certificate-error.ts';
import { clean, noteOf, privateKeyBlock } from './key-material.ts';
import { type KeyAlgorithm, makeKeyPair } from './key-pair.ts';
import { type KeyPassphrase, printKey, readKey } from './key-sealing.ts';
import { nameSteps } from './name-steps.ts';

/** What an administrator asks for. */
export interface RequestWish {
  readonly subject: DistinguishedName;
  readonly dnsNames: readonly string[];
  readonly algorithm: KeyAlgorithm;
  /** RSA only; 2048 or 4096. */
  readonly keyBits: number;
  readonly friendlyName: string;
  readonly exportable: boolean;
}

export interface PendingRequest {
  /** SHA-1 of the public key, 40 upper-case hexadecimal digits: it has no certificate yet. */
  readonly thumbprint: string;
  /** In .NET's print. */
  readonly subjectText: string;
  readonly dnsNames: readonly string[];
  readonly friendlyName: string;
  readonly exportable: boolean;
  /** What goes to the authority. */
  readonly pem: string;
  readonly key: KeyObject;
}

/** Makes key and request. `subjectText` is how the subject is shown. */
export async function makeRequest(
  wish: RequestWish,
  subjectText: string,
  existing?: KeyObject,
): Promise<PendingRequest> {
  const pair =
    existing === undefined
      ? await makeKeyPair(wish.algorithm, wish.keyBits)
      : { privateKey: existing, publicKey: createPublicKey(existing) };
  const der = buildSigningRequest({
    subject: nameSteps(wish.subject),
    publicKey: pair.publicKey,
    signingKey: pair.privateKey,
    dnsNames: wish.dnsNames,
  });
  return {
    thumbprint: keyThumbprint(pair.privateKey),
    subjectText,
    dnsNames: wish.dnsNames,
    friendlyName: wish.friendlyName,
    exportable: wish.exportable,
    pem: pemOf(der, 'NEW CERTIFICATE REQUEST'),
    key: pair.privateKey,
  };
}

function keyThumbprint(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha1').update(spki).digest('hex').toUpperCase();
}

function pemOf(der: Buffer, label: string): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The file of a request: notes, key, request. */
export function printRequestFile(request: PendingRequest, passphrase: KeyPassphrase): string {
  return [
    `FriendlyName: ${clean(request.friendlyName)}`,
    `Exportable: ${request.exportable ? 'yes' : 'no'}`,
    `Subject: ${clean(request.subjectText)}`,
    `DnsNames: ${request.dnsNames.join(',')}`,
    `${printKey(request.key, passphrase)}${request.pem}`,
  ].join('\n');
}

const requestBlock = /-----BEGIN NEW CERTIFICATE REQUEST-----[^-]*-----END NEW CERTIFICATE REQUEST-----\n?/;

/** Throws CertificateError. */
export function readRequestFile(text: string, passphrase: KeyPassphrase): PendingRequest {
  const [block, pem] = [privateKeyBlock.exec(text)?.[0], requestBlock.exec(text)?.[0]];
  if (block === undefined || pem === undefined) throw new CertificateError('the file holds no request with its key');
  const key = readKey(block, passphrase);
  return {
    thumbprint: keyThumbprint(key),
    subjectText: noteOf(text, 'Subject'),
    dnsNames: noteOf(text, 'DnsNames')
      .split(',')
      .filter((name) => name !== ''),
    friendlyName: noteOf(text, 'FriendlyName'),
    exportable: noteOf(text, 'Exportable') !== 'no',
    pem,
    key,
  };
}
