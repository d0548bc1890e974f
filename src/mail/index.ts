/**
 * Messages as octets, without a queue: the envelope, the header block, Received lines, dates, and delivery status
 * notifications. RFC 5322, RFC 5321 §4.4, RFC 3461, 3464, 6522, 6532, 6533. Content is never decoded as a whole and never
 * changed but for fields inserted or removed. MIME parts below the header are left to the agents.
 */
export { formatDate } from './date.ts';
export { decodeWords, encodeWords } from './encoded-words.ts';
export type { Envelope, EnvelopeRecipient, Notify } from './envelope.ts';
export { HeaderBlock, type HeaderFacts, type HeaderField } from './header-block.ts';
export { insertFields, removeFields } from './header-edit.ts';
export { buildReceived, type ReceivedFacts } from './received.ts';
export { buildReport, type Report } from './report.ts';
export { type ReportDue, reportDue } from './report-due.ts';
export type { ReportedMessage, ReportedRecipient, ReportKind, ReportRequest } from './report-request.ts';
