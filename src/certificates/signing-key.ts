/** The key that signs mail of our own with DKIM (RFC 6376): beside the certificates, made when it is first needed. */
import { createPublicKey, generateKeyPair } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { replaceFile } from '../base/index.ts';
import { type KeyPassphrase, printKey, readKey } from './key-sealing.ts';

const fileName = 'dkim.key';

/** PEM, not sealed: for the library that signs. */
export async function signingKey(folder: string, passphrase: KeyPassphrase): Promise<string> {
  const path = join(folder, fileName);
  try {
    const key = readKey(await readFile(path, 'latin1'), passphrase);
    return printKey(key, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  await replaceFile(path, printKey(privateKey, passphrase));
  return printKey(privateKey, '');
}

/** RFC 6376 §3.6.1, with the service type that RFC 8460 §3 asks for: what the DNS holds at `selector._domainkey.domain`. */
export function dkimRecord(privateKeyPem: string): string {
  const key = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  return `v=DKIM1; k=rsa; s=email:tlsrpt; p=${key.toString('base64')}`;
}
