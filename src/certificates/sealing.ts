/**
 * Sealing octets to the key of a certificate: only who holds the private key reads them. A fresh AES-256-GCM key, itself encrypted
 * by RSA-OAEP (RFC 8017 §7.1) or agreed on by ECDH with an ephemeral key and HKDF (RFC 5869), as the certificate's key allows.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { CertificateError } from './certificate-error.ts';

interface Box {
  readonly v: 1;
  /** RSA: the encrypted key. EC: the ephemeral public key, SPKI. */
  readonly k: string;
  readonly t: 'rsa' | 'ec';
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

const keyBytes = 32;
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

/** Seals to a certificate in DER. Throws CertificateError for a key that can do neither. */
export function seal(certificate: Buffer, secret: Buffer): Buffer {
  const { publicKey } = new X509Certificate(certificate);
  const { key, t, k } = newKey(publicKey);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const data = Buffer.concat([cipher.update(secret), cipher.final()]);
  const text = (octets: Buffer): string => octets.toString('base64');
  const box: Box = { v: 1, t, k: text(k), iv: text(iv), tag: text(cipher.getAuthTag()), data: text(data) };
  return Buffer.from(JSON.stringify(box));
}

/** Opens with one private key; undefined when it is not the right one, or the octets were altered. */
export function unseal(privateKey: KeyObject, sealed: Buffer): Buffer | undefined {
  try {
    const box = JSON.parse(sealed.toString('utf8')) as Box;
    const octets = (text: string): Buffer => Buffer.from(text, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', openKey(privateKey, box.t, octets(box.k)), octets(box.iv));
    decipher.setAuthTag(octets(box.tag));
    return Buffer.concat([decipher.update(octets(box.data)), decipher.final()]);
  } catch {
    // Another key, or not what was sealed: which of them is nobody's to tell apart.
    return undefined;
  }
}

function newKey(publicKey: KeyObject): { key: Buffer; t: Box['t']; k: Buffer } {
  if (publicKey.asymmetricKeyType === 'rsa') {
    const key = randomBytes(keyBytes);
    return { key, t: 'rsa', k: publicEncrypt({ key: publicKey, ...oaep }, key) };
  }
  const namedCurve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType !== 'ec' || namedCurve === undefined) {
    throw new CertificateError(`nothing can be sealed to a key of type ${publicKey.asymmetricKeyType ?? 'unknown'}`);
  }
  const ephemeral = generateKeyPairSync('ec', { namedCurve });
  const k = ephemeral.publicKey.export({ type: 'spki', format: 'der' });
  return { key: derived(ephemeral.privateKey, publicKey, k), t: 'ec', k };
}

function openKey(privateKey: KeyObject, type: Box['t'], k: Buffer): Buffer {
  if (type === 'rsa') return privateDecrypt({ key: privateKey, ...oaep }, k);
  return derived(privateKey, createPublicKey({ key: k, format: 'der', type: 'spki' }), k);
}

function derived(privateKey: KeyObject, publicKey: KeyObject, salt: Buffer): Buffer {
  const shared = diffieHellman({ privateKey, publicKey });
  return Buffer.from(hkdfSync('sha256', shared, salt, 'edge sealing', keyBytes));
}
