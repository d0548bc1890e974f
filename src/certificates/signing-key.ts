/** Keys of this server that belong to no certificate, beside those that do; each is made when it is first needed. */
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../base/index.ts';
import { type KeyAlgorithm, makeKeyPair } from './key-pair.ts';
import { type KeyPassphrase, printKey, readKey } from './key-sealing.ts';

/** The key that signs our own mail with DKIM (RFC 6376). PEM, not sealed: for the library that signs. */
export function signingKey(folder: string, passphrase: KeyPassphrase): Promise<string> {
  return ownKey(join(folder, 'dkim.key'), passphrase, 'RSA');
}

/** The key of the account at the authority of ACME (RFC 8555 §6.2). PEM, not sealed. */
export function acmeAccountKey(folder: string, passphrase: KeyPassphrase): Promise<string> {
  return ownKey(join(folder, 'acme-account.key'), passphrase, 'ECDSA');
}

async function ownKey(path: string, passphrase: KeyPassphrase, algorithm: KeyAlgorithm): Promise<string> {
  try {
    const key = readKey(await readFile(path, 'latin1'), passphrase);
    return printKey(key, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey } = await makeKeyPair(algorithm, 2048);
  await replaceFile(path, printKey(privateKey, passphrase));
  return printKey(privateKey, '');
}

/** RFC 6376 §3.6.1, with the service type that RFC 8460 §3 asks for: what the DNS holds at `selector._domainkey.domain`. */
export function dkimRecord(privateKeyPem: string): string {
  const key = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  return `v=DKIM1; k=rsa; s=email:tlsrpt; p=${key.toString('base64')}`;
}
