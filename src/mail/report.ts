/** Delivery status notifications: RFC 3461 §6, RFC 3464, RFC 6522, RFC 6533. */
import { isAscii } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { ContentScanner } from '../smtp/index.ts';
import { formatDate } from './date.ts';
import { encodeWords } from './encoded-words.ts';
import type { Envelope } from './envelope.ts';
import { HeaderBlock } from './header-block.ts';
import { removeFields } from './header-edit.ts';
import { humanPart } from './report-body.ts';
import { languageOf } from './report-language.ts';
import { type Part, rendered } from './report-part.ts';
import type { ReportRequest } from './report-request.ts';
import { deliveryStatus } from './report-status.ts';

export interface Report {
  readonly envelope: Envelope;
  /** The message, dots not stuffed. */
  readonly content: Buffer;
  /** What the queue keeps of a content, found while it was built. */
  readonly facts: {
    readonly size: number;
    readonly headerSize: number;
    readonly leadingDots: boolean;
    readonly eightBit: boolean;
    readonly utf8Header: boolean;
    readonly bareLines: boolean;
    readonly messageId: string;
    readonly subject: string;
  };
}

/** Octets of the original's header that are quoted at most. */
const longestQuote = 64 * 1024;

/** Fields that never leave the organization, not even in a report (Exchange's header firewall). */
const innerField = /^x-ms-exchange-(?:organization|forest)-/;

/** Writes the report. Throws RangeError when the message has no sender or no recipient is named: ask reportDue() first. */
export function buildReport(request: ReportRequest): Report {
  const { message, recipients } = request;
  if (message.envelope.from === '') throw new RangeError('a message with the null sender is never reported');
  if (recipients.length === 0) throw new RangeError('a report names at least one recipient');
  const boundary = `=_${request.id.replace(/[^A-Za-z0-9-]/g, '')}`;
  const utf8 = needsGlobal(request);
  const head = headOf(request, boundary, utf8);
  const compose = (original: readonly Part[]): Buffer =>
    Buffer.concat([
      Buffer.from(head.text),
      ...[humanPart(request), rendered(statusPart(request, utf8)), ...original.map(rendered)].flatMap((part) => [
        Buffer.from(`--${boundary}\r\n`),
        part,
      ]),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
  // RFC 3461 §6.2: as much of the original as the way back takes.
  const { mostBytes = Number.POSITIVE_INFINITY } = request;
  let content = compose([originalPart(request, utf8)]);
  if (content.length > mostBytes) content = compose([headersOf(request, utf8)]);
  if (content.length > mostBytes) content = compose([]);
  if (content.length > mostBytes && request.html) return buildReport({ ...request, html: false });
  return finish(request, head, content);
}

/** RFC 6533 §6: the global types only where the sender speaks SMTPUTF8 and there is something to say in it. */
function needsGlobal({ message, recipients, header }: ReportRequest): boolean {
  const { envelope } = message;
  if (!envelope.smtpUtf8) return false;
  const named = recipients.map(({ index }) => envelope.recipients[index]);
  const texts = [envelope.from, ...named.flatMap((one) => [one?.address ?? '', one?.orcpt ?? ''])];
  return texts.some(aboveAscii) || hasHighOctet(header.subarray(0, new HeaderBlock(header).size));
}

function aboveAscii(text: string): boolean {
  return /[^\0-\x7f]/.test(text);
}

function hasHighOctet(bytes: Buffer): boolean {
  return !isAscii(bytes);
}

interface Head {
  readonly text: string;
  readonly messageId: string;
  readonly subject: string;
}

function headOf(request: ReportRequest, boundary: string, utf8: boolean): Head {
  const { kind, message, reportingMta, postmaster, now, id, language } = request;
  const messageId = `<${id}@${reportingMta}>`;
  const subject = `${languageOf(language).kinds[kind].subject}: ${message.facts.subject}`.slice(0, 500).toWellFormed();
  const original = /^<[!-;=?-~]{1,900}>$/.test(message.facts.messageId) ? message.facts.messageId : '';
  const lines = [
    `From: <${postmaster}>`,
    `To: <${plainest(message.envelope.from)}>`,
    `Date: ${formatDate(now)}`,
    `Subject: ${encodeWords(subject)}`,
    `Message-ID: ${messageId}`,
    ...(original === '' ? [] : [`In-Reply-To: ${original}`, `References: ${original}`]),
    // RFC 3834 §5: nobody's vacation program answers this.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    // RFC 6522 §3: the subtype of the second part.
    `Content-Type: multipart/report; report-type=${utf8 ? 'global-delivery-status' : 'delivery-status'};`,
    `\tboundary="${boundary}"`,
  ];
  return { text: `${lines.join('\r\n')}\r\n\r\n`, messageId, subject };
}

/** An address with an ASCII local part needs no SMTPUTF8 on its way back: its domain goes as A-labels. */
function plainest(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  return aboveAscii(address.slice(0, at)) || domain === '' ? address : `${address.slice(0, at)}@${domain}`;
}

/** The third part of a report that quotes only the header of the original (RFC 6522 §3), without its delimiter. */
export function headersPart(fields: Buffer, utf8: boolean): Buffer {
  return rendered(quotation(fields, utf8));
}

function statusPart(request: ReportRequest, utf8: boolean): Part {
  const type = utf8 ? 'message/global-delivery-status' : 'message/delivery-status';
  return { type, encoding: utf8 ? '8bit' : '7bit', body: Buffer.from(deliveryStatus(request, utf8)) };
}

/** RFC 3461 §6.2: the whole message or its header. */
function originalPart(request: ReportRequest, utf8: boolean): Part {
  const { kind, message, content } = request;
  // RFC 8689 §5: a report of what had to be kept from eyes on the way quotes none of it.
  // RFC 3030 §3: binary octets cannot stand in a report, whose way back may have neither BDAT nor BINARYMIME.
  const { ret, tls, body: kindOfBody } = message.envelope;
  const headersAlone = ret === 'HDRS' || tls === 'required' || kindOfBody === 'BINARYMIME';
  if (kind !== 'failed' || headersAlone || content === undefined) return headersOf(request, utf8);
  const block = new HeaderBlock(content);
  const body = Buffer.concat([removeFields(block, isInner), content.subarray(block.size)]);
  return { type: utf8 ? 'message/global' : 'message/rfc822', encoding: encodingOf(body), body };
}

function headersOf({ header }: ReportRequest, utf8: boolean): Part {
  return quotation(removeFields(new HeaderBlock(header), isInner), utf8);
}

function quotation(fields: Buffer, utf8: boolean): Part {
  const body = quotedHeader(fields);
  return { type: utf8 ? 'message/global-headers' : 'text/rfc822-headers', encoding: encodingOf(body), body };
}

function isInner(name: string): boolean {
  return innerField.test(name);
}

function encodingOf(body: Buffer): '7bit' | '8bit' {
  return hasHighOctet(body) ? '8bit' : '7bit';
}

/** Cut behind a whole line, every line end a CRLF, no NUL: a header is no place to smuggle. */
function quotedHeader(fields: Buffer): Buffer {
  const cut =
    fields.length <= longestQuote ? fields.length : fields.lastIndexOf(0x0a, longestQuote) + 1 || longestQuote;
  const text = fields
    .toString('latin1', 0, cut)
    .replace(/\r?\n|\r/g, '\r\n')
    .replaceAll('\0', '');
  return Buffer.from(text, 'latin1');
}

function finish({ message }: ReportRequest, { messageId, subject }: Head, content: Buffer): Report {
  const scanner = new ContentScanner();
  scanner.push(content);
  scanner.end();
  const { from } = message.envelope;
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const { size, headerSize, leadingDots, eightBit, utf8Header } = scanner;
  return {
    // RFC 3461 §6.1: null reverse path, and NOTIFY=NEVER so that nobody reports on the report.
    envelope: {
      from: '',
      recipients: [{ address: from, domain, notify: ['NEVER'] }],
      body: eightBit ? '8BITMIME' : '7BIT',
      smtpUtf8: utf8Header,
      ...(message.envelope.tls === 'required' && { tls: 'required' as const }),
    },
    content,
    facts: {
      size,
      headerSize,
      leadingDots,
      eightBit,
      utf8Header,
      bareLines: scanner.bareCr >= 0 || scanner.bareLf >= 0,
      messageId,
      subject,
    },
  };
}
