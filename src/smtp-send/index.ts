/**
 * Sending: takes messages from a delivery queue to the next hop over SMTP (RFC 5321) or LMTP (RFC 2033), with PIPELINING,
 * SIZE, 8BITMIME, SMTPUTF8, DSN and STARTTLS as far as the peer offers them, with the TLS that connector, DANE (RFC 7672)
 * and MTA-STS (RFC 8461) demand. Stands behind the queue, which calls it.
 * Leaves out: which next hop (categorizer), retry times and reports (queue).
 */

export { type PhaseTimeouts, rfcTimeouts } from './connection/phase-timeouts.ts';
export type { TlsTrouble } from './connection/tls-troubles.ts';
export { contentFormOf } from './content/remote-domain-form.ts';
export type { FormOf } from './courier.ts';
export { NodeResolver } from './dns/node-resolver.ts';
export {
  type AddressAnswer,
  DnsError,
  type DnsFault,
  type MailResolver,
  type MxAnswer,
  type MxRecord,
} from './dns/resolver.ts';
export { LmtpSender, type LmtpTarget } from './lmtp-sender.ts';
export { type SendingDns, sendingDns } from './policies/sending-dns.ts';
export { StsFile } from './policies/sts-file.ts';
export { type SenderOptions, type SenderParts, SmtpSender } from './smtp-sender.ts';
