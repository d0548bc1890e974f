/** Makes a finished report smaller for a way back that takes less: RFC 3461 §6.2 lets the original be cut to its header or left out. */
import { HeaderBlock } from './header-block.ts';
import { headersPart } from './report.ts';

export interface FittedReport {
  readonly content: Buffer;
  readonly change: 'headers only' | 'without the original' | 'without the original and HTML';
}

/**
 * The report with as much of the original as `maxBytes` allow; undefined when it is none of ours (other reports are passed on
 * as they are) or does not fit at all.
 */
export function fitReport(report: Buffer, maxBytes: number): FittedReport | undefined {
  const head = report.toString('latin1', 0, 8 * 1024);
  const boundary = /^Content-Type: multipart\/report; [^\r\n]*\r\n\tboundary="(=_[A-Za-z0-9-]+)"\r\n/m.exec(head)?.[1];
  if (boundary === undefined) return undefined;
  const delimiter = Buffer.from(`--${boundary}\r\n`);
  const end = Buffer.from(`--${boundary}--\r\n`);
  const starts = delimitersIn(report, delimiter);
  const last = starts[2];
  if (last === undefined) return undefined;
  const withoutOriginal = Buffer.concat([report.subarray(0, last), end]);
  if (withoutOriginal.length > maxBytes) {
    const content = withoutHtml(withoutOriginal, delimiter);
    return content.length > maxBytes ? undefined : { content, change: 'without the original and HTML' };
  }
  const part = report.subarray(last + delimiter.length, report.length - end.length);
  const partHeader = new HeaderBlock(part);
  const type = partHeader.first('content-type') ?? '';
  if (/^message\/(?:rfc822|global)$/i.test(type)) {
    const original = part.subarray(partHeader.size);
    const fields = original.subarray(0, new HeaderBlock(original).size);
    const content = Buffer.concat([
      report.subarray(0, last),
      delimiter,
      headersPart(fields, /global/i.test(type)),
      end,
    ]);
    if (content.length <= maxBytes) return { content, change: 'headers only' };
  }
  return { content: withoutOriginal, change: 'without the original' };
}

/** The plain text alone in the place of the first part; the same where that is all it has. */
function withoutHtml(report: Buffer, delimiter: Buffer): Buffer {
  const [first = 0, second = 0] = delimitersIn(report, delimiter);
  const human = report.subarray(first + delimiter.length, second);
  const inner = /^Content-Type: multipart\/alternative;\r\n\tboundary="(=_alternative-[A-Za-z0-9-]+)"\r\n/.exec(
    human.toString('latin1', 0, 1024),
  )?.[1];
  if (inner === undefined) return report;
  const innerDelimiter = Buffer.from(`--${inner}\r\n`);
  const [text = 0, html = 0] = delimitersIn(human, innerDelimiter);
  return Buffer.concat([
    report.subarray(0, first + delimiter.length),
    human.subarray(text + innerDelimiter.length, html),
    report.subarray(second),
  ]);
}

/** Offsets of the delimiter at the start of a line. The boundary is a fresh GUID: it stands nowhere else. */
function delimitersIn(report: Buffer, delimiter: Buffer): number[] {
  const found: number[] = [];
  for (let at = report.indexOf(delimiter); at >= 0 && found.length < 3; at = report.indexOf(delimiter, at + 1)) {
    if (at > 0 && report[at - 1] === 10) found.push(at);
  }
  return found;
}
