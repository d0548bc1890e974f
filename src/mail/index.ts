/**
 * Messages as octets, without a queue: the envelope, the header block, Received lines, dates, and delivery status
 * notifications. RFC 5322, RFC 5321 §4.4, RFC 3461, 3464, 6522, 6532, 6533. Content is never decoded as a whole and never
 * changed but for fields inserted or removed, and for its transfer encoding where the next hop is a 7-bit one.
 */
export { formatDate } from './date.ts';
export { decodeWords, encodeWords } from './encoded-words.ts';
export type { Envelope, EnvelopeRecipient, Notify } from './envelope.ts';
export { type DepthLimits, generatedTooOften } from './generated-depth.ts';
export {
  HeaderBlock,
  type HeaderFacts,
} from './header-block.ts';
export { insertFields, removeFields, renameFields } from './header-edit.ts';
export { crossPremises, type HeaderClass, headerClasses, type Screened, screenHeader } from './header-firewall.ts';
export { type EntityType, MimeWalker, type WalkerEvents } from './mime-walker.ts';
export { originalClient } from './original-client.ts';
export {
  finishReceived,
  type ReceivedMessage,
  type ReceivedSession,
  type ReceivedStart,
  startReceived,
} from './received.ts';
export { buildReport, type Report } from './report.ts';
export { reportDue } from './report-due.ts';
export { fitReport } from './report-fit.ts';
export { languageOfSender, reportLanguages } from './report-language.ts';
export type {
  ReplyPhase,
  ReportedMessage,
  ReportedRecipient,
  ReportKind,
  ReportRequest,
} from './report-request.ts';
export { statusOf } from './report-status.ts';
export {
  type ConversionTask,
  type SevenBitPlan,
  SevenBitScan,
  SevenBitWriter,
} from './seven-bit.ts';
export { Base64Encoder, QuotedPrintableEncoder } from './transfer-encoding.ts';
