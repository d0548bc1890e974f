/** The header block of a message as octets: RFC 5322 §2.2, RFC 6532. */
import { decodeWords } from './encoded-words.ts';

export interface HeaderField {
  /** Lower case; '' for a line that is no field. */
  readonly name: string;
  /** Offset of the first octet. */
  readonly start: number;
  /** Offset of the value: behind the colon. */
  readonly valueStart: number;
  /** Offset behind the last line end, continuation lines included. */
  readonly end: number;
}

/** What tracking and limits want to know. Values are unfolded and cut; '' when absent. */
export interface HeaderFacts {
  readonly messageId: string;
  /** Encoded words decoded. */
  readonly subject: string;
  readonly from: string;
  readonly date: string;
  /** Number of Received fields. */
  readonly hops: number;
  /** Received fields written by this server. */
  readonly localHops: number;
  /** `TLS-Required: No` (RFC 8689 §4), once. */
  readonly tlsOptional: boolean;
}

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;

const plainValue = /^[ -~]*$/;

/** Fields found in one linear pass; values are read only when asked for. Garbage never makes it throw. */
export class HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** Octets up to and with the empty line; all of them when there is none. */
  readonly size: number;
  /** The empty line was found. */
  readonly complete: boolean;
  /** The octets that were scanned. */
  readonly bytes: Buffer;

  /** `bytes` may go on behind the header block. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const fields: HeaderField[] = [];
    let at = 0;
    let complete = false;
    while (at < bytes.length && !complete) {
      const end = endOfLine(bytes, at);
      complete = isEmptyLine(bytes, at);
      if (!complete) addLine(fields, bytes, at, end);
      at = end;
    }
    this.fields = fields;
    this.size = at;
    this.complete = complete;
  }

  /** Number of fields of that name. */
  count(name: string): number {
    const wanted = name.toLowerCase();
    return this.fields.reduce((sum, field) => (field.name === wanted ? sum + 1 : sum), 0);
  }

  /** First value of that name, unfolded, trimmed, cut at `maxBytes` (998 by default); undefined when absent. */
  first(name: string, maxBytes = 998): string | undefined {
    const wanted = name.toLowerCase();
    const field = this.fields.find((one) => one.name === wanted);
    return field && this.#value(field, maxBytes);
  }

  /** All values of that name, in order. */
  all(name: string, maxBytes = 998): string[] {
    const wanted = name.toLowerCase();
    return this.fields.filter((field) => field.name === wanted).map((field) => this.#value(field, maxBytes));
  }

  /** `serverFqdn`: the name that this server writes behind `by` in Received. */
  facts(serverFqdn: string): HeaderFacts {
    const received = this.all('received');
    const own = serverFqdn.toLowerCase();
    return {
      messageId: this.first('message-id') ?? '',
      subject: decodeWords(this.first('subject') ?? ''),
      from: this.first('from') ?? '',
      date: this.first('date') ?? '',
      hops: received.length,
      tlsOptional: this.count('tls-required') === 1 && /^no$/i.test(this.first('tls-required') ?? ''),
      localHops: received.filter((value) => writerOf(value) === own).length,
    };
  }

  #value(field: HeaderField, maxBytes: number): string {
    const end = Math.min(field.end, field.valueStart + maxBytes);
    const text = this.bytes.toString('utf8', field.valueStart, end).trim();
    // Most values are one line of printable ASCII.
    if (plainValue.test(text)) return text;
    return text
      .replace(/[\0-\x1f\x7f]+/g, (run) => (/^[\r\n]+$/.test(run) ? '' : ' '))
      .replace(end < field.end ? /\ufffd{0,3}$/ : /$/, '')
      .trim();
  }
}

function endOfLine(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(lf, at);
  return end < 0 ? bytes.length : end + 1;
}

function isEmptyLine(bytes: Buffer, at: number): boolean {
  return bytes[at] === lf || (bytes[at] === cr && bytes[at + 1] === lf);
}

function addLine(fields: HeaderField[], bytes: Buffer, start: number, end: number): void {
  const last = fields.at(-1);
  if (last !== undefined && (bytes[start] === 0x20 || bytes[start] === 0x09)) {
    fields[fields.length - 1] = { ...last, end };
    return;
  }
  let i = start;
  while (i < end && isNameOctet(bytes[i] ?? 0)) i++;
  const nameEnd = i;
  // RFC 5322 §4.5 (obsolete): white space before the colon.
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0x09)) i++;
  const isField = bytes[i] === colon && nameEnd > start;
  const name = isField ? bytes.toString('latin1', start, nameEnd).toLowerCase() : '';
  fields.push({ name, start, valueStart: isField ? i + 1 : start, end });
}

function isNameOctet(octet: number): boolean {
  return octet > 0x20 && octet < 0x7f && octet !== colon;
}

/** The name behind `by`, lower case. Comments may hold anything, also a `by`. */
function writerOf(received: string): string {
  const plain = received.replace(/\([^()]*\)/g, ' ');
  return /(?:^|\s)by\s+([^\s;]+)/i.exec(plain)?.[1]?.toLowerCase() ?? '';
}
