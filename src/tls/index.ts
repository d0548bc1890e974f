/**
 * TLS judged without a socket or a private key: what a certificate says, which certificate a name stands for, how
 * well a connection is protected, and what a send connector demands. RFC 5280, RFC 6125 and 9525, RFC 3207, RFC 4514.
 * The handshake is OpenSSL's; keys belong to certificates/.
 */

export { verifyChain } from './certificate/certificate-chain.ts';
export {
  type CertificateCandidate,
  type CertificateChoice,
  type CertificateQuery,
  chooseReceiveCertificate,
} from './certificate/certificate-choice.ts';
export { findPath, hasIssued, longestPath } from './certificate/certificate-path.ts';
export { certificateNotices, type ExpiryNotice, type ShownAt } from './certificate/expiry.ts';
export {
  extensionOf,
  isCriticalIn,
  type ParsedCertificate,
  readCertificate,
} from './certificate/parsed-certificate.ts';
export { countTimestamps } from './certificate/timestamps.ts';
export { TrustAnchors } from './certificate/trust-anchors.ts';
export type { DistinguishedName } from './names/distinguished-name.ts';
export { matchesHost } from './names/host-match.ts';
export { firstDifference, sameName } from './names/name-comparison.ts';
export { formatName, parseName } from './names/name-syntax.ts';
export { parseSenderCertificateName, type SenderCertificateName } from './names/sender-certificate-name.ts';
export {
  certificateNameDifference,
  formatTlsCertificateName,
  hasCertificateName,
  parseTlsCertificateName,
  type TlsCertificateName,
} from './names/tls-certificate-name.ts';
export {
  type ClientCertificate,
  type ClientEku,
  type ClientVerdict,
  judgeClient,
  standsForDomain,
} from './policy/client-policy.ts';
export {
  maxPolicyAge,
  maxPolicyBytes,
  parseStsPolicy,
  parseStsRecord,
  type StsPolicy,
  stsAllows,
  stsPolicyLines,
} from './policy/mta-sts.ts';
export {
  judgePeer,
  type PeerIdentity,
  reasonOfPolicy,
  type SendTlsPolicy,
  type SendTlsSettings,
  sendTlsPolicy,
  type TlsAuthLevel,
} from './policy/send-policy.ts';
export { type ServerTlsSettings, serverTlsSettings, type TlsCipherProfile } from './policy/server-profile.ts';
export { noPolicy, type PublishedPolicy, type TlsOutcome, type TlsOutcomes } from './policy/session-outcome.ts';
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
} from './policy/target-policy.ts';
export { statusOfFailure, type TlsFailure } from './policy/tls-failure.ts';
export { describeTls, type NegotiatedTls, type TlsDescription } from './policy/tls-level.ts';
export {
  associationOf,
  matchTlsa,
  type TlsaRecord,
  tlsaText,
  unusableReason,
} from './policy/tlsa.ts';
export { findInCrl, type RevocationList, readCrl } from './revocation/crl.ts';
export { ocspRequest, readOcspResponse } from './revocation/ocsp.ts';
export type { RevocationAnswer, RevocationVerdict } from './revocation/revocation.ts';
