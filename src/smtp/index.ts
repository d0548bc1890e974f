/**
 * SMTP as text and octets, without a socket: replies, mailbox addresses, arguments of MAIL and RCPT, and the
 * transparency of DATA. RFC 5321, RFC 2034 and 3463 (enhanced codes), RFC 3461 (DSN parameters), RFC 6531 (SMTPUTF8).
 * Receiving and sending both stand on it. It opens no connection, keeps no session and knows no header field.
 */

export { AddressError } from './address-error.ts';
export {
  type MailArgument,
  type OfferedParameters,
  parseMailArgument,
  parseRcptArgument,
  type RcptArgument,
} from './command-arguments.ts';
export { ContentScanner } from './content-scanner.ts';
export { parseDomain } from './domain.ts';
export { type Mailbox, parseMailbox, parsePath, renderPath } from './mailbox.ts';
export { type ProxiedEndpoints, readProxyHeader } from './proxy-header.ts';
export { replies } from './replies.ts';
export {
  classify,
  oneLine,
  parseReply,
  type Reply,
  renderReply,
  SmtpError,
} from './reply.ts';
export { type Credentials, credentials, decodeSaslText, plainCredentials } from './sasl.ts';
export { DotStuffer, DotUnstuffer } from './transparency.ts';
export { withXClient, xClientAttributes } from './xclient.ts';
export { decodeXtext, encodeXtext, parseOrcpt, renderOrcpt } from './xtext.ts';
