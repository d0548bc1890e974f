/**
 * The certificates of this machine and their private keys, which no other room touches: one PEM file each in the state
 * directory, mode 0600. The choice itself is made by tls/; here it gets its candidates and becomes a TLS context,
 * prepared ahead, so that a STARTTLS waits for nothing. Also the maker of certificates, for the server's own and for
 * the test chains of certs/. It fetches nothing and asks no certification authority.
 */
export {
  buildCertificate,
  type CertificateRequest,
  type NameSteps,
  purposes,
} from './certificate-builder.ts';
export { CertificateError } from './certificate-error.ts';
export {
  type CertificateMatch,
  matchCertificateFile,
  nameOfCertificateFile,
} from './certificate-file.ts';
export type { PendingRequest, RequestWish } from './certificate-request.ts';
export { CertificateStore, type Imported } from './certificate-store.ts';
export { keyPassphrase } from './key-sealing.ts';
export { subjectFrom } from './name-steps.ts';
export { seal } from './sealing.ts';
export { randomSerial, serverNames } from './self-signed.ts';
export { acmeAccountKey, dkimRecord, signingKey } from './signing-key.ts';
export type { AuthorityEntry, CertificateEntry } from './store-folder.ts';
