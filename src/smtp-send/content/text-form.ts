/** The text of one part in the form that a remote domain asks for: character set, width of lines, transfer encoding. Pure. */
import iconv from 'iconv-lite';
import { Base64Encoder, QuotedPrintableEncoder } from '../../mail/index.ts';
import type { ContentForm } from './remote-domain-form.ts';

/** A part as it stands in the message. */
export interface TextPart {
  /** 'text/plain'. */
  readonly type: string;
  /** Of Content-Type; '' when absent. */
  readonly charset: string;
  /** Content-Transfer-Encoding, lower case; '' when absent. */
  readonly encoding: string;
  readonly body: Buffer;
  /** The message is none of MIME. */
  readonly plain: boolean;
}

export interface FormedText {
  readonly charset: string;
  readonly encoding: string;
  readonly body: Buffer;
}

/** Undefined: it stays as it is. */
export function formText(part: TextPart, form: ContentForm): FormedText | undefined {
  const source = part.charset === '' ? (part.plain ? 'utf-8' : 'us-ascii') : part.charset.toLowerCase();
  const octets = decoded(part);
  if (octets === undefined || !iconv.encodingExists(source)) return undefined;
  const text = iconv.decode(octets, source, { stripBOM: false });
  // What does not read as what it says it is stays as it is.
  if (text.includes('\ufffd')) return undefined;
  const wrapped = part.type === 'text/plain' || part.plain ? wrap(text, form.lineWrapSize) : text;
  const target = targetOf(wrapped, source, part, form);
  const same = wrapped === text && target === source;
  const body = same ? octets : (encodeText(wrapped, target) ?? octets);
  const encoding = encodingOf(part, body, form);
  if (body.equals(octets) && encoding === part.encoding && target === source) return undefined;
  return { charset: target, encoding, body: transferEncoded(body, encoding) };
}

function decoded({ encoding, body }: TextPart): Buffer | undefined {
  if (encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64');
  if (encoding === 'quoted-printable') return unquoted(body);
  return /^(?:|7bit|8bit)$/.test(encoding) ? body : undefined;
}

/** RFC 2045 §6.7. */
function unquoted(body: Buffer): Buffer {
  const text = body
    .toString('latin1')
    .replace(/[ \t]*=[ \t]*\r?\n/g, '')
    .replace(/[ \t]+(?=\r?\n)/g, '')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** Breaks at spaces; a word that is longer stays whole. */
function wrap(text: string, width: number): string {
  if (width === 0 || width === Number.POSITIVE_INFINITY) return text;
  const wrapLine = (line: string): string => {
    if (line.length <= width) return line;
    const rows: string[] = [];
    let row = '';
    for (const word of line.split(' ')) {
      if (row !== '' && row.length + 1 + word.length > width) {
        rows.push(row);
        row = word;
      } else row = row === '' && rows.length === 0 ? word : `${row} ${word}`;
    }
    return [...rows, row].join('\r\n');
  };
  return text.split('\r\n').map(wrapLine).join('\r\n');
}

/** Shift_JIS by its own rule; else the set of the domain, where it covers enough of the text. */
function targetOf(text: string, source: string, part: TextPart, form: ContentForm): string {
  if (/^(?:shift[_-]?jis|sjis|windows-31j|cp932)$/.test(source) && form.shiftJis !== 'Undefined') return 'iso-2022-jp';
  // ASCII is the same in all of them.
  if (/^[\0-\x7f]*$/.test(text)) return source;
  const wanted = (part.plain ? form.nonMimeCharacterSet : form.characterSet)?.toLowerCase();
  if (wanted === undefined || wanted === source) return source;
  const octets = encodeText(text, wanted);
  if (octets === undefined) return source;
  return coverage(text, wanted) >= (form.coverage ?? 100) ? wanted : source;
}

/** Share of the characters that the set has, in per cent. */
function coverage(text: string, charset: string): number {
  const characters = [...text].filter((one) => one > '\x7f');
  if (characters.length === 0 || charset === 'iso-2022-jp') return 100;
  const missing = characters.filter((one) => iconv.decode(iconv.encode(one, charset), charset) !== one).length;
  return 100 - (100 * missing) / [...text].length;
}

function encodeText(text: string, charset: string): Buffer | undefined {
  if (charset === 'iso-2022-jp') return japanese(text);
  return iconv.encodingExists(charset) ? iconv.encode(text, charset) : undefined;
}

/** RFC 1468. Katakana of half width become those of full width, which it has. */
function japanese(text: string): Buffer | undefined {
  const whole = text.replace(/[\uff61-\uff9f]+/g, (kana) => kana.normalize('NFKC'));
  const euc = iconv.encode(whole, 'euc-jp');
  const out: number[] = [];
  let wide = false;
  const shift = (to: boolean): void => {
    if (to !== wide) out.push(0x1b, to ? 0x24 : 0x28, 0x42);
    wide = to;
  };
  for (let at = 0; at < euc.length; at++) {
    const [first = 0, second = 0] = euc.subarray(at, at + 2);
    // What is neither ASCII nor JIS X 0208.
    if (first > 0x7f && (first < 0xa1 || second < 0xa1)) return undefined;
    shift(first > 0x7f);
    out.push(first & 0x7f);
    if (first > 0x7f) {
      out.push(second & 0x7f);
      at += 1;
    }
  }
  shift(false);
  return Buffer.from(out);
}

/** ByteEncoderTypeFor7BitCharsets holds for text of seven bits; what has more is encoded as it was. */
function encodingOf({ type, encoding }: TextPart, body: Buffer, { encoder }: ContentForm): string {
  const sevenBit = body.every((octet) => octet < 128);
  const html = type === 'text/html';
  // What was encoded may hold what no line of a message can.
  const lines = isLines(body) ? '7bit' : encoding;
  if (sevenBit) {
    if (encoder === 'Use7Bit') return lines;
    if (encoder === 'UseQP' || (html && /^UseQPHtml/.test(encoder))) return 'quoted-printable';
    if (encoder === 'UseBase64' || (html && /^UseBase64Html/.test(encoder))) return 'base64';
    if (/7BitTextPlain$/.test(encoder)) return lines;
    if (/DetectTextPlain$/.test(encoder)) return isLines(body) ? '7bit' : 'quoted-printable';
  }
  return encoding;
}

/** RFC 2045 §2.7. */
function isLines(body: Buffer): boolean {
  return !/\0|[^\n]{1000}|\r(?!\n)|(?<!\r)\n/.test(body.toString('latin1'));
}

function transferEncoded(body: Buffer, encoding: string): Buffer {
  if (encoding !== 'base64' && encoding !== 'quoted-printable') return body;
  const encoder = encoding === 'base64' ? new Base64Encoder() : new QuotedPrintableEncoder();
  return Buffer.concat([encoder.push(body), encoder.end()]);
}
