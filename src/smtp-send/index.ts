/**
 * Sending: takes messages from a delivery queue to the next hop over SMTP (RFC 5321) or LMTP (RFC 2033), with PIPELINING,
 * SIZE, 8BITMIME, SMTPUTF8, DSN and STARTTLS as far as the peer offers them, with the TLS that connector, DANE (RFC 7672)
 * and MTA-STS (RFC 8461) demand. Stands behind the queue, which calls it.
 * Leaves out: which next hop (categorizer), retry times and reports (queue).
 */
export type { FormOf } from './courier.ts';
export { LmtpSender, type LmtpTarget } from './lmtp-sender.ts';
export { NodeResolver } from './node-resolver.ts';
export { type PhaseTimeouts, rfcTimeouts } from './phase-timeouts.ts';
export { type SendingDns, sendingDns } from './policies/sending-dns.ts';
export { StsFile } from './policies/sts-file.ts';
export { contentFormOf } from './remote-domain-form.ts';
export {
  type AddressAnswer,
  DnsError,
  type DnsFault,
  type MailResolver,
  type MxAnswer,
  type MxRecord,
} from './resolver.ts';
export { type SenderOptions, type SenderParts, SmtpSender } from './smtp-sender.ts';
export type { TlsTrouble } from './tls-troubles.ts';
