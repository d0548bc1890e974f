/** The machine-readable part of a report: RFC 3464 §2, RFC 6533 §4. */
import { isIP } from 'node:net';
import { asciiText, printable } from '../base/text/index.ts';
import { renderOrcpt } from '../smtp/index.ts';
import { formatDate } from './date.ts';
import type { EnvelopeRecipient } from './envelope.ts';
import type { ReplyPhase, ReportedRecipient, ReportKind, ReportRequest } from './report-request.ts';

/** Class that the status has to have (RFC 3464 §2.3.4). A failed one may keep 4: given up after many attempts. */
const classes: Readonly<Record<ReportKind, string>> = { failed: '54', delayed: '4', delivered: '2', relayed: '2' };

/** RFC 3463 §3 for replies without an enhanced code: what the basic code says in this phase. */
const detailOfPhase: Readonly<Record<ReplyPhase, Readonly<Record<string, string>>>> = {
  MAIL: { 552: '3.4', 553: '1.7' },
  RCPT: { 450: '2.0', 551: '1.6', 552: '2.2', 553: '1.3' },
  DATA: { 552: '3.4' },
};
/** What it says in every phase (RFC 5248 §2.4). 550 and 554 say nothing but no. */
const detailOfCode: Readonly<Record<string, string>> = {
  421: '3.2',
  451: '3.0',
  452: '3.1',
  500: '5.2',
  501: '5.4',
  502: '5.1',
  503: '5.1',
  504: '5.4',
  530: '7.0',
  535: '7.8',
  555: '5.4',
};

const enhanced = /^\d{3}[ -]([245])\.(\d{1,3}\.\d{1,3})(?![\d.])/;

/** Status of a recipient: by the enhanced code of the reply, then by the phase, last by the digit. */
export function statusOf(kind: ReportKind, reply: string, phase?: ReplyPhase): string {
  const [, written, detail] = enhanced.exec(reply) ?? [];
  const code = /^[245]\d\d/.exec(reply)?.[0] ?? '';
  const allowed = classes[kind];
  const status = [written, code.charAt(0)].find((digit) => digit && allowed.includes(digit)) ?? allowed.charAt(0);
  const byPhase = phase === undefined ? undefined : detailOfPhase[phase][code];
  return `${status}.${detail ?? byPhase ?? detailOfCode[code] ?? '0.0'}`;
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

function recipientStatus(
  request: ReportRequest,
  { index, reply, remote, phase }: ReportedRecipient,
  utf8: boolean,
): string {
  const { kind, message, now } = request;
  const recipient = message.envelope.recipients[index];
  if (recipient === undefined) throw new RangeError(`the message has no recipient ${index}`);
  const server = mtaName(remote);
  return fields(utf8, [
    ['Original-Recipient', originalRecipient(recipient, utf8)],
    ['Final-Recipient', typedAddress(recipient.address, utf8)],
    ['Action', kind],
    ['Status', statusOf(kind, reply, phase)],
    ['Remote-MTA', server === '' ? '' : `dns;${server}`],
    ['Diagnostic-Code', reply === '' || request.diagnostics === false ? '' : `smtp;${reply}`],
    ['Last-Attempt-Date', formatDate(now)],
    ['Will-Retry-Until', kind === 'delayed' ? formatDate(message.expiresAt) : ''],
  ]);
}

/** RFC 3464 §2.3.5: a name or an address literal, without a port. '' for what is no host (a folder, a socket). */
function mtaName(remote: string): string {
  const [first = ''] = remote.split(' ');
  const host = first.replace(/:\d+$/, '');
  const literal = /^\[([^\]]+)\]$/.exec(host)?.[1];
  if (literal !== undefined) return isIP(literal) === 6 ? `[IPv6:${literal}]` : host;
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?$/i.test(host) ? host : '';
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
  const oneLine = printable(value);
  return utf8 ? oneLine : asciiText(oneLine);
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
