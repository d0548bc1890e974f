/** The certificates that a new server makes for itself, as Exchange's setup does: one for each key algorithm. */
import { matchesHost } from '../tls/index.ts';
import type { KeyAlgorithm } from './key-pair.ts';
import { type SelfSignedWish, serverNames } from './self-signed.ts';
import type { CertificateEntry } from './store-folder.ts';

const dayMs = 86_400_000;

export function ownWish(fqdn: string, algorithm: KeyAlgorithm): SelfSignedWish {
  const fixed = { keyBits: 2048, services: ['SMTP'], friendlyName: 'Microsoft Exchange', exportable: false };
  return { ...serverNames(fqdn), ...fixed, algorithm };
}

/** Which of the store's certificates stand for the server for 30 more days, and for which algorithms one is missing. */
export function ownCertificates(
  entries: readonly CertificateEntry[],
  fqdn: string,
  now: number,
): { readonly good: readonly CertificateEntry[]; readonly missing: readonly KeyAlgorithm[] } {
  const good = entries.filter(
    ({ certificate, enabledForSmtp }) =>
      enabledForSmtp &&
      matchesHost(certificate, fqdn) &&
      certificate.notBefore <= now &&
      certificate.notAfter > now + 30 * dayMs,
  );
  // An authority's certificate for the name needs no self-signed one beside it: it would not be shown.
  if (good.some(({ certificate }) => !certificate.selfSigned)) return { good, missing: [] };
  const has = (keyType: string): boolean => good.some(({ certificate }) => certificate.keyType === keyType);
  const missing: KeyAlgorithm[] = [...(has('ec') ? [] : ['ECDSA' as const]), ...(has('rsa') ? [] : ['RSA' as const])];
  return { good, missing };
}
