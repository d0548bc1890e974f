/** SMTP replies on the wire: RFC 5321 §4.2 (form), RFC 2034 §4 (enhanced codes), RFC 3463 §2 (class digit). */

export interface Reply {
  /** Basic code, 200–599. */
  readonly code: number;
  /** Subject and detail without the class digit, as in '7.1'. Absent in the greeting, after EHLO and in 3xx. */
  readonly detail?: string;
  /** One or more lines of text, without CR or LF. */
  readonly lines: readonly string[];
}

/** Renders a reply ready to send. Throws RangeError for what a peer could take for another reply, or for no reply. */
export function renderReply({ code, detail, lines }: Reply): string {
  if (!Number.isInteger(code) || code < 200 || code > 599) throw new RangeError(`${code} is no reply code`);
  if (detail !== undefined && !/^\d{1,3}\.\d{1,3}$/.test(detail))
    throw new RangeError(`'${detail}' is no status detail`);
  if (lines.length === 0 || lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new RangeError(`reply ${code}: text is empty or holds a line break`);
  }
  const prefix = enhancedPrefix(code, detail);
  const last = lines.length - 1;
  return lines.map((line, i) => `${code}${i < last ? '-' : ' '}${prefix}${line}\r\n`).join('');
}

/** The class digit comes from the code, so that the two can never disagree. */
function enhancedPrefix(code: number, detail: string | undefined): string {
  return detail === undefined ? '' : `${Math.floor(code / 100)}.${detail} `;
}

/** The reply as one line for logs, queue entries and reports: `550 5.7.1 first line second line`. */
export function oneLine({ code, detail, lines }: Reply): string {
  return `${code} ${enhancedPrefix(code, detail)}${lines.join(' ')}`.trimEnd();
}

const replyLine = /^([2-5]\d\d)(?:([ -])(.*))?$/s;
const enhanced = /^([245])\.(\d{1,3}\.\d{1,3})(?: |$)/;

/**
 * Reads one complete reply, of one line or several, as a peer sent it or as oneLine() printed it. Line ends may be CRLF
 * or LF. Undefined for text that is no reply: lines with different codes, a last line still marked as continued, rubbish.
 */
export function parseReply(text: string): Reply | undefined {
  const rows = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const parts = rows.map((row) => replyLine.exec(row));
  const code = Number(parts[0]?.[1]);
  const consistent = parts.every((part, i) => {
    const continued = part?.[2] === '-';
    return part !== null && Number(part[1]) === code && continued === i < parts.length - 1;
  });
  if (!consistent) return undefined;
  const texts = parts.map((part) => part?.[3] ?? '');
  const detail = detailOf(code, texts[0] ?? '');
  if (detail === undefined) return { code, lines: texts };
  const prefix = `${Math.floor(code / 100)}.${detail}`;
  return { code, detail, lines: texts.map((line) => withoutPrefix(line, prefix)) };
}

/** RFC 2034 §4: the class of the enhanced code agrees with the basic code; one that does not is only text. */
function detailOf(code: number, text: string): string | undefined {
  const match = enhanced.exec(text);
  return match !== null && Number(match[1]) === Math.floor(code / 100) ? match[2] : undefined;
}

function withoutPrefix(line: string, prefix: string): string {
  if (!line.startsWith(prefix)) return line;
  const rest = line.slice(prefix.length);
  return rest === '' || rest.startsWith(' ') ? rest.slice(1) : line;
}

/** What a reply means to the client that gets it (RFC 5321 §4.2.1, first digit). */
export type ReplyClass = 'success' | 'intermediate' | 'transient' | 'permanent';

const classes: Readonly<Record<number, ReplyClass>> = {
  2: 'success',
  3: 'intermediate',
  4: 'transient',
  5: 'permanent',
};

/** Class of a basic code. Codes outside 200–599 count as 'transient': try again rather than lose mail to a broken peer. */
export function classify(code: number): ReplyClass {
  return classes[Math.floor(code / 100)] ?? 'transient';
}

/** A refusal with the reply that answers it. `message` is the reply's text; `cause` never goes on the wire. */
export class SmtpError extends Error {
  override readonly name = 'SmtpError';
  readonly reply: Reply;
  /** Why, for the journal; never sent. */
  readonly reason: string;

  constructor(reply: Reply, reason = '', options?: ErrorOptions) {
    super(oneLine(reply), options);
    this.reply = reply;
    this.reason = reason;
  }
}
