/** New key pairs, made by OpenSSL off this thread. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** ECDSA is on P-256. */
export type KeyAlgorithm = 'RSA' | 'ECDSA';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** `keyBits` counts for RSA only. */
export async function makeKeyPair(algorithm: KeyAlgorithm, keyBits: number): Promise<KeyPair> {
  if (algorithm === 'ECDSA') return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return promisify(generateKeyPair)('rsa', { modulusLength: keyBits });
}
