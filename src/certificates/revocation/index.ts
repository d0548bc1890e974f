/**
 * Whether certificates of peers were revoked: asks their issuers by OCSP (RFC 6960) and CRL (RFC 5280 §5), with a deadline
 * and a cache, and never inside addresses. What an answer is worth is judged in tls/; what becomes of it, by connectors.
 */
export { RevocationChecker } from './revocation-checker.ts';
export { RevocationFetch } from './revocation-fetch.ts';
