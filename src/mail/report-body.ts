/** The part of a report that speaks to a person: plain text, or the same as HTML beside it (RFC 2046 §5.1.4), in one language. */
import { printableLines } from '../base/index.ts';
import { formatDate } from './date.ts';
import type { ReportLanguage } from './languages/report-language.ts';
import { adviceFor, languageOf } from './report-language.ts';
import { type Part, rendered } from './report-part.ts';
import type { ReportedRecipient, ReportRequest } from './report-request.ts';
import { statusOf } from './report-status.ts';

/** What it says, in order. */
interface Body {
  readonly tag: string;
  readonly opening: string;
  readonly recipients: readonly Told[];
  /** Delay and what can be done. */
  readonly closing: readonly string[];
  readonly heading: string;
  readonly rows: readonly (readonly [label: string, value: string])[];
  readonly madeBy: string;
}

interface Told {
  readonly address: string;
  /** '' when there is none. */
  readonly advice: string;
  /** What the next hop, or this server, said, and who it was; '' when nothing is told. */
  readonly said: string;
}

/** Rendered, without the delimiter of the report around it. */
export function humanPart(request: ReportRequest): Buffer {
  const body = bodyOf(request);
  const text = part('plain', textOf(body));
  if (!request.html) return rendered(text);
  // The boundary of the report is '=_' and the id, and no beginning of this one.
  const boundary = `=_alternative-${request.id.replace(/[^A-Za-z0-9-]/g, '')}`;
  const delimiter = Buffer.from(`--${boundary}\r\n`);
  return Buffer.concat([
    Buffer.from(`Content-Type: multipart/alternative;\r\n\tboundary="${boundary}"\r\n\r\n`),
    ...[text, part('html', htmlOf(body))].flatMap((one) => [delimiter, rendered(one)]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

function part(subtype: 'plain' | 'html', text: string): Part {
  const octets = Buffer.from(`${printableLines(text).replaceAll('\n', '\r\n')}\r\n`);
  const type = `text/${subtype}`;
  if (!octets.some((octet) => octet > 127))
    return { type: `${type}; charset=us-ascii`, encoding: '7bit', body: octets };
  const lines = octets.toString('base64').replace(/.{76}/g, '$&\r\n');
  return { type: `${type}; charset=utf-8`, encoding: 'base64', body: Buffer.from(`${lines}\r\n`) };
}

function bodyOf(request: ReportRequest): Body {
  const { kind, message, reportingMta } = request;
  const language = languageOf(request.language);
  const { opening, closing } = language.kinds[kind];
  return {
    tag: language.tag,
    opening,
    recipients: request.recipients.map((one) => toldOf(request, one, language)),
    closing: [...(kind === 'delayed' ? [language.triedUntil(formatDate(message.expiresAt))] : []), closing],
    heading: language.yourMessage,
    rows: [
      [language.subject, message.facts.subject],
      [language.accepted, formatDate(message.receivedAt)],
      ['Message-ID', message.facts.messageId],
    ],
    madeBy: language.madeBy(reportingMta),
  };
}

function toldOf(
  { kind, message, diagnostics = true }: ReportRequest,
  { index, reply, remote, phase }: ReportedRecipient,
  language: ReportLanguage,
): Told {
  const oneLine = reply.replace(/\s+/g, ' ').slice(0, 900);
  const who = remote === '' ? language.reason : language.said(remote.slice(0, 300));
  return {
    address: message.envelope.recipients[index]?.address ?? '',
    advice: adviceFor(language, kind, statusOf(kind, reply, phase)),
    said: oneLine === '' || !diagnostics ? '' : `${who}: ${oneLine}`,
  };
}

function textOf({ opening, recipients, closing, heading, rows, madeBy }: Body): string {
  return [
    opening,
    ...recipients.map(({ address, advice, said }) =>
      [`  ${address}`, `    ${advice}`, `    ${said}`].filter((line) => line.trim() !== '').join('\n'),
    ),
    ...closing,
    [heading, ...rows.map(([label, value]) => `  ${label}: ${value}`)].join('\n'),
    madeBy,
  ].join('\n\n');
}

function htmlOf({ tag, opening, recipients, closing, heading, rows, madeBy }: Body): string {
  const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;
  return [
    `<html lang="${tag}"><head><meta name="viewport" content="width=device-width"></head>`,
    '<body style="font-family: sans-serif">',
    `<p><b>${escaped(opening)}</b></p>`,
    ...recipients.flatMap(({ address, advice, said }) => [
      '<blockquote>',
      `<p><b>${escaped(address)}</b></p>`,
      ...(advice === '' ? [] : [paragraph(advice)]),
      ...(said === '' ? [] : [`<p><small>${escaped(said)}</small></p>`]),
      '</blockquote>',
    ]),
    ...closing.map(paragraph),
    paragraph(heading),
    '<table>',
    ...rows.map(([label, value]) => `<tr><td>${escaped(label)}</td><td>${escaped(value)}</td></tr>`),
    '</table>',
    `<p><small>${escaped(madeBy)}</small></p>`,
    '</body></html>',
  ].join('\n');
}

/** Values come from peers: what would be markup is text, and what would end a line a space. */
function escaped(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
