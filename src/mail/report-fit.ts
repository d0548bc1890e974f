/** Makes a finished report smaller for a way back that takes less: RFC 3461 §6.2 lets the original be cut to its header or left out. */
import { HeaderBlock } from './header-block.ts';
import { headersPart } from './report.ts';

export interface FittedReport {
  readonly content: Buffer;
  readonly change: 'headers only' | 'without the original';
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
  if (withoutOriginal.length > maxBytes) return undefined;
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

/** Offsets of the delimiter at the start of a line. The boundary is a fresh GUID: it stands nowhere else. */
function delimitersIn(report: Buffer, delimiter: Buffer): number[] {
  const found: number[] = [];
  for (let at = report.indexOf(delimiter); at >= 0 && found.length < 3; at = report.indexOf(delimiter, at + 1)) {
    if (at > 0 && report[at - 1] === 10) found.push(at);
  }
  return found;
}
