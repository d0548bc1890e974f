/** A refusal with its cause in words: no key, wrong password, key does not belong to the certificate. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}
