/**
 * TLS judged without a socket or a private key: what a certificate says, which certificate a name stands for, how
 * well a connection is protected, and what a send connector demands. RFC 5280, RFC 6125 and 9525, RFC 3207, RFC 4514.
 * The handshake is OpenSSL's; keys belong to certificates/.
 */

export { verifyChain } from './certificate-chain.ts';
export {
  type CertificateCandidate,
  type CertificateChoice,
  type CertificateQuery,
  chooseReceiveCertificate,
} from './certificate-choice.ts';
export { findPath, hasIssued, longestPath } from './certificate-path.ts';
export {
  type ClientCertificate,
  type ClientEku,
  type ClientVerdict,
  judgeClient,
  standsForDomain,
} from './client-policy.ts';
export { findInCrl, type RevocationList, readCrl } from './crl.ts';
export type { DistinguishedName } from './distinguished-name.ts';
export { certificateNotices, type ExpiryNotice, type ShownAt } from './expiry.ts';
export { matchesHost } from './host-match.ts';
export {
  maxPolicyAge,
  maxPolicyBytes,
  parseStsPolicy,
  parseStsRecord,
  type StsPolicy,
  stsAllows,
  stsPolicyLines,
} from './mta-sts.ts';
export { firstDifference, sameName } from './name-comparison.ts';
export { formatName, parseName } from './name-syntax.ts';
export { ocspRequest, readOcspResponse } from './ocsp.ts';
export { extensionOf, isCriticalIn, type ParsedCertificate, readCertificate } from './parsed-certificate.ts';
export type { RevocationAnswer, RevocationVerdict } from './revocation.ts';
export {
  judgePeer,
  type PeerIdentity,
  reasonOfPolicy,
  type SendTlsPolicy,
  type SendTlsSettings,
  sendTlsPolicy,
  type TlsAuthLevel,
} from './send-policy.ts';
export { parseSenderCertificateName, type SenderCertificateName } from './sender-certificate-name.ts';
export { type ServerTlsSettings, serverTlsSettings, type TlsCipherProfile } from './server-profile.ts';
export { noPolicy, type PublishedPolicy, type TlsOutcome, type TlsOutcomes } from './session-outcome.ts';
export {
  describePolicy,
  isOurs,
  judgeTarget,
  needsCertificate,
  type StartTlsUse,
  startTlsOf,
  type TargetTlsPolicy,
  type TargetVerdict,
  type TlsDemand,
} from './target-policy.ts';
export { countTimestamps } from './timestamps.ts';
export {
  certificateNameDifference,
  formatTlsCertificateName,
  hasCertificateName,
  parseTlsCertificateName,
  type TlsCertificateName,
} from './tls-certificate-name.ts';
export { statusOfFailure, type TlsFailure } from './tls-failure.ts';
export { describeTls, type NegotiatedTls, type TlsDescription } from './tls-level.ts';
export {
  associationOf,
  matchTlsa,
  type TlsaRecord,
  tlsaText,
  unusableReason,
} from './tlsa.ts';
export { TrustAnchors } from './trust-anchors.ts';
