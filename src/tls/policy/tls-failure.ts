/** How TLS failed, in the words of RFC 8460 §4.3, and the codes that Exchange Online gives it. */
import type { PeerIdentity, SendTlsPolicy } from './send-policy.ts';

/** Result types of RFC 8460 §4.3. */
export type TlsFailure =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid';

/** Why a policy is not met by this peer. */
export function failureOf({ level }: SendTlsPolicy, { encrypted, chainError, certificate }: PeerIdentity): TlsFailure {
  if (!encrypted) return 'starttls-not-supported';
  if (level === 'dane') return 'tlsa-invalid';
  if (certificate === undefined || level === 'pinned') return 'validation-failure';
  // OpenSSL's names of its verdicts, as Node hands them on.
  if (chainError === 'CERT_HAS_EXPIRED') return 'certificate-expired';
  if (chainError !== '') return 'certificate-not-trusted';
  return level === 'domain' ? 'certificate-host-mismatch' : 'validation-failure';
}

const codes: Readonly<Partial<Record<TlsFailure, string>>> = {
  'starttls-not-supported': '4.7.321',
  'certificate-expired': '4.7.322',
  'tlsa-invalid': '4.7.323',
  'dane-required': '4.7.323',
  'dnssec-invalid': '4.7.324',
};

/** Exchange Online's status of the deferral; 4.7.5 for what it has no code for. */
export function statusOfFailure(failure: TlsFailure): string {
  return codes[failure] ?? '4.7.5';
}
