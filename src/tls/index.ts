/**
 * TLS as facts, without a socket or a private key: what a certificate says, which certificate a name stands for, how
 * well a connection is protected, and what a send connector demands. RFC 5280, RFC 6125 and 9525, RFC 3207, RFC 4514.
 * The handshake is OpenSSL's; keys belong to certificates/.
 */

export {
  type CertificateCandidate,
  type CertificateChoice,
  type CertificateWish,
  chooseReceiveCertificate,
} from './certificate-choice.ts';
export { type CertificateFacts, readCertificate } from './certificate-facts.ts';
export {
  type DistinguishedName,
  formatName,
  type NameAttribute,
  parseName,
  type RelativeName,
  sameName,
} from './distinguished-name.ts';
export { matchesHost } from './host-match.ts';
export {
  judgePeer,
  type PeerFacts,
  type PeerVerdict,
  reasonOfPolicy,
  type SendTlsPolicy,
  type SendTlsSettings,
  sendTlsPolicy,
  type TlsAuthLevel,
} from './send-policy.ts';
export {
  type DemandSource,
  describePolicy,
  judgeTarget,
  needsCertificate,
  type StartTlsUse,
  startTlsOf,
  type TargetTlsPolicy,
  type TargetVerdict,
  type TlsDemand,
} from './target-policy.ts';
export { formatTlsCertificateName, parseTlsCertificateName, type TlsCertificateName } from './tls-certificate-name.ts';
export { describeTls, type TlsDescription, type TlsFacts } from './tls-level.ts';
