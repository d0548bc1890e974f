/**
 * Every reply that Edge gives. Wording is Exchange's, so that scripts and people who search for it find it. Basic codes are
 * the RFC's, and so are enhanced codes where an RFC names one for the case (cited in the row); otherwise Exchange's stand.
 */
import type { Reply } from './reply.ts';

function reply(code: number, detail: string | undefined, ...lines: string[]): Reply {
  return detail === undefined ? { code, lines } : { code, detail, lines };
}

/** Named as one would say it. Functions take what varies. */
export const replies = {
  /** Greeting (RFC 5321 §4.2). `date` in the form of RFC 5322. */
  greeting: (fqdn: string, date: string): Reply =>
    reply(220, undefined, `${fqdn} Microsoft ESMTP MAIL Service ready at ${date}`),
  /** The connector's Banner, whose own code is kept when it has one. */
  banner: (text: string): Reply => reply(220, undefined, text.replace(/^220[ -]/, '')),
  /** Answer to HELO. */
  helo: (fqdn: string, peer: string): Reply => reply(250, undefined, `${fqdn} Hello [${peer}]`),
  /** Answer to EHLO, one line for each extension (RFC 5321 §4.1.1.1). */
  ehlo: (fqdn: string, peer: string, extensions: readonly string[]): Reply =>
    reply(250, undefined, `${fqdn} Hello [${peer}]`, ...extensions),
  senderOk: reply(250, '1.0', 'Sender OK'),
  recipientOk: reply(250, '1.5', 'Recipient OK'),
  /** A chunk of BDAT that is not the last one (RFC 3030 §2). */
  chunkReceived: (octets: number): Reply => reply(250, '6.0', `CHUNK received OK, ${octets} octets`),
  startMailInput: reply(354, undefined, 'Start mail input; end with <CRLF>.<CRLF>'),
  /** `messageId` with its angle brackets. */
  queued: (messageId: string, internalId: number, host: string): Reply =>
    reply(250, '6.0', `${messageId} [InternalId=${internalId}, Hostname=${host}] Queued mail for delivery`),
  resetOk: reply(250, '0.0', 'Resetting'),
  noopOk: reply(250, '0.0', 'OK'),
  /** HELP (RFC 5321 §4.1.1.8). */
  help: (verbs: string): Reply => reply(214, '0.0', `This server supports the following commands: ${verbs}`),
  /** VRFY never confirms a mailbox (RFC 5321 §7.3). */
  cannotVerify: reply(252, '1.5', 'Cannot VRFY user'),
  closing: reply(221, '0.0', 'Service closing transmission channel'),
  startTls: reply(220, '0.0', 'SMTP server ready'),
  authenticated: reply(235, '7.0', 'Authentication successful'),

  // Relay and permission
  unableToRelay: reply(550, '7.54', 'SMTP; Unable to relay recipient in non-accepted domain'),
  cannotSendAsSender: reply(550, '7.60', 'SMTP; Client does not have permissions to send as this sender'),
  /** Without ms-Exch-SMTP-Submit; 530: RFC 4954 §6. */
  notAuthenticated: reply(530, '7.57', 'SMTP; Client was not authenticated to send anonymous mail during MAIL FROM'),
  /** RequireTLS in clear. RFC 3207 §4, where Exchange says 451 5.7.3. */
  mustStartTls: reply(530, '7.0', 'Must issue a STARTTLS command first'),
  /** AUTH in clear where BasicAuthRequireTLS; RFC 4954 §6. */
  encryptionRequiredForAuth: reply(538, '7.11', 'Encryption required for requested authentication mechanism'),

  // Order and form of commands
  sendHelloFirst: reply(503, '5.2', 'Send hello first'),
  badSequence: reply(503, '5.1', 'Bad sequence of commands'),
  senderAlreadySpecified: reply(503, '5.1', 'Sender already specified'),
  needMailFirst: reply(503, '5.1', 'Need mail command'),
  needRecipientFirst: reply(503, '5.1', 'Need rcpt command'),
  /** DATA when every RCPT was refused (RFC 5321 §3.3). */
  noValidRecipients: reply(554, '5.1', 'No valid recipients'),
  unrecognizedCommand: reply(500, '3.3', 'Unrecognized command'),
  notImplemented: reply(502, '5.1', 'Command not implemented'),
  lineTooLong: reply(500, '5.6', 'Line too long'),
  /** STARTTLS, RSET, QUIT and the like with an argument. */
  noArgumentsAllowed: reply(501, '5.4', 'No arguments allowed'),
  invalidArguments: reply(501, '5.4', 'Invalid arguments'),
  /** RFC 5321 §4.1.1.11: a parameter that is not offered or not known. */
  unsupportedParameter: reply(555, '5.4', 'Unsupported parameter'),
  invalidDomainName: reply(501, '5.4', 'Invalid domain name'),
  unrecognizedAuthentication: reply(504, '5.4', 'Unrecognized authentication type'),
  authenticationFailed: reply(535, '7.8', 'Authentication unsuccessful'),
  /** The client answered '*' to a challenge (RFC 4954 §4). */
  authenticationCancelled: reply(501, '7.0', 'Authentication cancelled'),
  /** RFC 4954 §4 and §6. */
  badBase64: reply(501, '5.2', 'Cannot decode response'),
  authenticationLineTooLong: reply(500, '5.6', 'Authentication exchange line is too long'),
  temporaryAuthenticationFailure: reply(454, '7.0', 'Temporary authentication failure'),
  /** STARTTLS that cannot begin (RFC 3207 §4). */
  tlsNotAvailable: reply(454, '7.0', 'TLS not available due to temporary reason'),
  certificateValidationFailure: (why: string): Reply =>
    reply(454, '7.5', `Certificate validation failure${why === '' ? '' : `, Reason:${why}`}`),

  // Addresses
  invalidSenderAddress: reply(501, '1.7', 'Invalid address'),
  invalidRecipientAddress: reply(501, '1.3', 'Invalid address'),
  /** RFC 6531 §3.5: non-ASCII without SMTPUTF8 in MAIL. */
  utf8AddressNotPermitted: reply(553, '6.7', 'Non-ASCII address requires SMTPUTF8'),
  userUnknown: reply(550, '1.1', 'User unknown'),
  senderDenied: reply(554, '1.0', 'Sender Denied'),
  /** MaxRecipientsPerMessage (RFC 5321 §4.5.3.1.10). */
  tooManyRecipients: reply(452, '5.3', 'Too many recipients'),
  reservedTopLevelDomain: reply(501, '1.4', 'Recipient address reserved by RFC 2606'),
  reservedSecondLevelDomain: reply(501, '1.5', 'Recipient address reserved by RFC 2606'),
  singleLabelDomain: reply(501, '1.6', 'Recipient addresses in single label domains not accepted'),

  // Content and size
  messageTooLarge: reply(552, '3.4', 'Message size exceeds fixed maximum message size'),
  /** BDAT that announces more than would be read just to be refused. */
  chunkTooLarge: reply(421, '3.4', 'Message size exceeds fixed maximum message size, closing transmission channel'),
  headerTooLarge: reply(552, '3.4', 'Message header size exceeds fixed maximum size'),
  tooManyHops: reply(554, '4.6', 'Hop count exceeded - possible mail loop'),
  bareLineFeed: reply(
    550,
    '6.11',
    'SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds, which cannot be sent via DATA',
  ),
  bareCarriageReturn: reply(
    550,
    '6.11',
    'SMTPSEND.BareCarriageReturnsAreIllegal; message contains bare carriage returns',
  ),
  /** Content filter, attachment filter and rules give their own text. */
  contentRejected: (text: string): Reply => reply(550, '7.1', text),

  // Limits, load, end of the session
  tooManyConnections: reply(
    421,
    '3.2',
    'The maximum number of concurrent server connections has exceeded a limit, closing transmission channel',
  ),
  tooManyConnectionsFromSource: reply(
    421,
    '3.2',
    'The maximum number of concurrent connections has exceeded a per-source limit, closing transmission channel',
  ),
  serviceNotAvailable: reply(421, '3.2', 'Service not available'),
  serviceNotActive: reply(421, '3.2', 'Service not active'),
  /** A bug in us: the session ends, the service lives. */
  internalError: reply(421, '3.0', 'Temporary server error. Please try again later'),
  rateExceeded: reply(421, '4.2', 'Message submission rate for this client has exceeded the configured limit'),
  connectionTimedOut: reply(421, '4.1', 'Connection timed out'),
  /** ConnectionInactivityTimeout. RFC 5321 §4.5.3.2: 421, where Exchange says 451 4.7.0. */
  inactivityTimeout: reply(421, '4.2', 'Timeout waiting for client input'),
  tooManyErrors: reply(421, '7.0', 'Too many errors on this connection, closing transmission channel'),
  /** The client spoke before its turn (RFC 5321 §4.3.1). */
  spokeTooEarly: reply(421, '5.1', 'Client was sending data before its turn'),
  /** Spool full or failed, back pressure. `what` is named in brackets as Exchange does; '' for none. */
  insufficientResources: (what: string): Reply =>
    reply(452, '3.1', `Insufficient system resources${what === '' ? '' : ` (${what})`}`),
  redundancyFailed: reply(451, '4.0', 'Message failed to be made redundant'),

  // Given to recipients in reports, never sent on a connection
  messageExpired: reply(550, '4.7', 'QUEUE.Expired; message expired'),
  recipientLimit: reply(550, '5.3', 'RESOLVER.ADR.RecipLimit; too many recipients'),
  /** The next hop does not offer SMTPUTF8 and the message needs it (RFC 6531 §3.1). */
  utf8NotSupportedByNextHop: reply(550, '6.7', 'SMTPUTF8 is required, but was not offered by the remote host'),
  /** The next hop does not offer 8BITMIME and the content needs it (RFC 6152 §3). */
  eightBitNotSupportedByNextHop: reply(
    554,
    '6.3',
    'Message contains 8-bit data, but 8BITMIME was not offered by the remote host',
  ),
  /** The next hop announced a smaller SIZE (RFC 1870 §6.1). */
  tooLargeForNextHop: reply(552, '3.4', 'Message size exceeds the limit announced by the remote host'),
} as const;
