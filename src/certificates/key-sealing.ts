/** Private keys at rest: PKCS #8 in PEM, sealed with a passphrase where the administrator gave one (RFC 5958, RFC 8018). */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateError } from './certificate-error.ts';

/** What seals the keys of a store; '' leaves them in clear, protected by mode 0600 alone. */
export type KeyPassphrase = string;

const variable = 'EDGE_KEY_PASSPHRASE';
/** Name of the systemd credential (LoadCredential=, LoadCredentialEncrypted=). */
const credential = 'edge-key-passphrase';

/**
 * The passphrase from the systemd credential, else from the environment; '' when there is neither. Throws
 * CertificateError for a credential that is there and cannot be read: keys must not be written in clear by mistake.
 */
export function keyPassphrase(environment: NodeJS.ProcessEnv = process.env): KeyPassphrase {
  const folder = environment['CREDENTIALS_DIRECTORY'];
  const fromCredential = folder === undefined ? undefined : readCredential(join(folder, credential));
  return fromCredential ?? environment[variable] ?? '';
}

function readCredential(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    // Other credentials may be set up without this one.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CertificateError(`the credential ${credential} cannot be read`, { cause });
  }
}

/** The key as PEM, sealed unless the passphrase is ''. */
export function printKey(key: KeyObject, passphrase: KeyPassphrase): string {
  const sealing = passphrase === '' ? {} : { cipher: 'aes-256-cbc', passphrase };
  return key.export({ type: 'pkcs8', format: 'pem', ...sealing }).toString();
}

/** EncryptedPrivateKeyInfo, DER: for PKCS#12. */
export function printKeyDer(key: KeyObject, passphrase: string): Buffer {
  return key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase });
}

/** Throws CertificateError that says which of the two is missing: the right passphrase, or a whole key. */
export function readKey(pem: string, passphrase: KeyPassphrase | undefined): KeyObject {
  const sealed = /ENCRYPTED/.test(pem);
  if (sealed && (passphrase ?? '') === '')
    throw new CertificateError(
      `the private key is sealed: its passphrase is needed (${variable} for the keys of the store)`,
    );
  try {
    return createPrivateKey({ key: pem, ...(sealed && passphrase !== undefined && { passphrase }) });
  } catch (cause) {
    throw new CertificateError(
      sealed ? 'the private key does not open: wrong passphrase, or damaged' : 'the private key does not read: damaged',
      { cause },
    );
  }
}
