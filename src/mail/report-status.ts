/** The machine-readable part of a report: RFC 3464 §2, RFC 6533 §4. */
import { enhancedCode, parseReply, renderOrcpt } from '../smtp/index.ts';
import { formatDate } from './date.ts';
import type { EnvelopeRecipient } from './envelope.ts';
import type { ReportedRecipient, ReportKind, ReportRequest } from './report-request.ts';

/** Class that the status has to have (RFC 3464 §2.3.4). A failed one may keep 4: given up after many attempts. */
const classes: Readonly<Record<ReportKind, string>> = { failed: '45', delayed: '4', delivered: '2', relayed: '2' };
const unknown: Readonly<Record<ReportKind, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
};

/** Status of a recipient: the enhanced code of the reply, or what its basic code stands for. */
export function statusOf(kind: ReportKind, replyText: string): string {
  const reply = parseReply(replyText);
  if (reply === undefined) return unknown[kind];
  const status = enhancedCode(reply);
  return classes[kind].includes(status.charAt(0)) ? status : `${unknown[kind].charAt(0)}${status.slice(1)}`;
}

/** message/delivery-status, or message/global-delivery-status when `utf8`. */
export function deliveryStatus(request: ReportRequest, utf8: boolean): string {
  const { envelope, origin, receivedAt } = request.message;
  const perMessage = fields(utf8, [
    ['Original-Envelope-Id', envelope.envid ?? ''],
    ['Reporting-MTA', `dns;${request.reportingMta}`],
    ['Received-From-MTA', origin.remoteAddress === '' ? '' : `dns;${origin.helo} (${origin.remoteAddress})`],
    ['Arrival-Date', formatDate(receivedAt)],
  ]);
  return [perMessage, ...request.recipients.map((one) => recipientStatus(request, one, utf8))].join('\r\n');
}

function recipientStatus(request: ReportRequest, { index, reply, remote }: ReportedRecipient, utf8: boolean): string {
  const { kind, message, now } = request;
  const recipient = message.envelope.recipients[index];
  if (recipient === undefined) throw new RangeError(`the message has no recipient ${index}`);
  const server = remote.split(' ')[0] ?? '';
  return fields(utf8, [
    ['Original-Recipient', originalRecipient(recipient, utf8)],
    ['Final-Recipient', typedAddress(recipient.address, utf8)],
    ['Action', kind],
    ['Status', statusOf(kind, reply)],
    ['Remote-MTA', server === '' ? '' : `dns;${server}`],
    ['Diagnostic-Code', reply === '' ? '' : `smtp;${reply}`],
    ['Last-Attempt-Date', formatDate(now)],
    ['Will-Retry-Until', kind === 'delayed' ? formatDate(message.expiresAt) : ''],
  ]);
}

function originalRecipient({ orcpt }: EnvelopeRecipient, utf8: boolean): string {
  if (orcpt === undefined) return '';
  // RFC 6533 §3: an ASCII report carries utf-8 addresses in their escaped form; other types go out decoded.
  return /^utf-8;/i.test(orcpt) ? renderOrcpt(orcpt, utf8) : orcpt;
}

function typedAddress(address: string, utf8: boolean): string {
  return /^[\0-\x7f]*$/.test(address) ? `rfc822;${address}` : renderOrcpt(`utf-8;${address}`, utf8);
}

/** Fields with a value, each folded. Values come from peers: what would end a line or a field is made a space. */
function fields(utf8: boolean, rows: readonly (readonly [name: string, value: string])[]): string {
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${foldAt(`${name}: ${cleanValue(value, utf8)}`)}\r\n`)
    .join('');
}

function cleanValue(value: string, utf8: boolean): string {
  const oneLine = value.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return utf8 ? oneLine.toWellFormed() : oneLine.replace(/[^ -~]/gu, '?');
}

/** Folds at spaces behind column 76; a word that is longer stays whole, up to the limit of RFC 5322 §2.1.1. */
function foldAt(line: string): string {
  const rows: string[] = [];
  let row = '';
  for (const word of line.slice(0, 4000).split(' ')) {
    const piece = word.slice(0, 900);
    if (row !== '' && row.trim() !== '' && row.length + 1 + piece.length > 76) {
      rows.push(row);
      row = '';
    }
    row = row === '' && rows.length === 0 ? piece : `${row} ${piece}`;
  }
  return [...rows, row].filter((one) => one.trim() !== '').join('\r\n');
}
