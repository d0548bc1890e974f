/** Secrets that must be used again (passwords for smart hosts), sealed so that the directory, its copies and its logs hold none. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateError } from '../certificate-error.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const prefix = 'aes-256-gcm:';
/** Beside the private keys, mode 0600; a backup of the directory alone opens nothing. */
const keyFile = 'secrets.key';

/** AES-256-GCM (NIST SP 800-38D) with a key of this machine. Synchronous: the key is 64 letters, read once. */
export class SecretBox {
  readonly #folder: string;
  #key: Buffer | undefined;

  /** `folder`: that of the certificate store. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `purpose` is bound to the text: a sealed text moved elsewhere does not open. Makes the key when there is none. */
  seal(text: string, purpose: string): string {
    const key = this.#read() ?? this.#make();
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(purpose));
    const octets = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return prefix + Buffer.concat([nonce, cipher.getAuthTag(), octets]).toString('base64');
  }

  /** Throws CertificateError for what was not sealed here, or not for this purpose. */
  unseal(sealed: string, purpose: string): string {
    const key = this.#read();
    if (key === undefined)
      throw new CertificateError('the key that seals secrets is not on this machine: set the secret anew');
    const octets = Buffer.from(sealed.startsWith(prefix) ? sealed.slice(prefix.length) : '', 'base64');
    if (octets.length < nonceBytes + tagBytes)
      throw new CertificateError('the secret is not sealed as it must be: set it anew');
    const decipher = createDecipheriv('aes-256-gcm', key, octets.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(octets.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      return Buffer.concat([decipher.update(octets.subarray(nonceBytes + tagBytes)), decipher.final()]).toString(
        'utf8',
      );
    } catch (cause) {
      throw new CertificateError('the secret does not open with the key of this machine: set it anew', { cause });
    }
  }

  #read(): Buffer | undefined {
    if (this.#key !== undefined) return this.#key;
    let text: string;
    try {
      text = readFileSync(join(this.#folder, keyFile), 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const key = Buffer.from(text.trim(), 'hex');
    if (key.length !== keyBytes)
      throw new CertificateError(`${keyFile} is damaged: remove it and set the secrets anew`);
    this.#key = key;
    return key;
  }

  #make(): Buffer {
    const key = randomBytes(keyBytes);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = openSync(join(this.#folder, keyFile), flags, 0o600);
    try {
      writeSync(file, `${key.toString('hex')}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#key = key;
    return key;
  }
}
