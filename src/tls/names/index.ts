/** The door of names of certificates as configuration holds them: read without a certificate, a policy or a library. */
export { parseSenderCertificateName } from './sender-certificate-name.ts';
export { parseTlsCertificateName } from './tls-certificate-name.ts';
