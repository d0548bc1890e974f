/**
 * Makes 8-bit content fit for a hop without 8BITMIME (RFC 6152 §3), and binary content for one without BINARYMIME (RFC 3030
 * §3): each part that needs it becomes quoted-printable or
 * base64, enclosed messages part by part (RFC 2046 §5.2.1 forbids encoding them as a whole). Two passes over the content,
 * neither of which holds it: the first finds what each part needs, the second writes.
 */
import { encodeWords } from './encoded-words.ts';
import { type EntityType, MimeWalker, type WalkerEvents } from './mime-walker.ts';
import { Base64Encoder, QuotedPrintableEncoder, type TransferEncoder } from './transfer-encoding.ts';

const none: Buffer = Buffer.alloc(0);

/** What becomes of a part. 'escape': it is quoted-printable with raw octets in it; 'strip': base64 with such. */
type Change = 'quoted-printable' | 'base64' | 'escape' | 'strip';

/** What comes in, and what may go out. */
export interface ConversionTask {
  /** The content was declared BINARYMIME: CR, LF and NUL may stand anywhere, lines have any length. False by default. */
  readonly binary?: boolean;
  /** The hop offers 8BITMIME: only what is binary is changed. False by default. */
  readonly eightBit?: boolean;
}

export interface SevenBitPlan {
  /** By number of the part; absent: it stays. */
  readonly changes: ReadonlyMap<number, Change>;
  /** Signatures that the change breaks: 'DKIM-Signature', 'multipart/signed'. */
  readonly broken: readonly string[];
  /** Why it cannot be done; undefined: it can. */
  readonly obstacle?: string;
  readonly task: ConversionTask;
}

interface PartFacts {
  type: EntityType;
  parents: readonly number[];
  octets: number;
  high: number;
  /** It has octets that only BINARYMIME can carry. */
  binary: boolean;
}

/** First pass: reads the whole content. */
export class SevenBitScan {
  readonly #parts: PartFacts[] = [];
  readonly #headers = new Set<number>();
  #dkim = false;
  #binaryHeader = false;
  readonly #task: ConversionTask;
  readonly #walker: MimeWalker;

  constructor(task: ConversionTask = {}) {
    this.#task = task;
    this.#walker = new MimeWalker(this.#events, {
      crlfOnly: task.binary === true,
    });
  }

  readonly #events: WalkerEvents = {
    headerLine: (entity, line, first) => {
      if (this.#task.binary && isBinary(line)) this.#binaryHeader = true;
      if (!this.#task.eightBit && highOctets(line) > 0) this.#headers.add(entity);
      if (entity === 0 && first && /^dkim-signature[ \t]*:/i.test(line.toString('latin1', 0, 40))) this.#dkim = true;
    },
    headerEnd: (entity, _blank, type, parents) => {
      this.#parts[entity] = {
        type,
        parents,
        octets: 0,
        high: 0,
        binary: false,
      };
    },
    body: (entity, octets) => {
      const part = this.#parts[entity];
      if (part === undefined) return;
      part.octets += octets.length;
      part.high += highOctets(octets);
      if (this.#task.binary) part.binary ||= part.type.encoding === 'binary' || isBinary(octets);
    },
    bodyEnd: () => undefined,
    between: () => undefined,
  };

  push(chunk: Buffer): void {
    this.#walker.push(chunk);
  }

  end(): SevenBitPlan {
    this.#walker.end();
    const changes = new Map<number, Change>();
    const broken = new Set<string>(this.#dkim ? ['DKIM-Signature'] : []);
    let obstacle = this.#binaryHeader ? 'a header with octets that are no text' : undefined;
    for (const [entity, part] of this.#parts.entries()) {
      const change = changeOf(part, this.#task);
      if (part.binary && cannotBeEncoded(part.type)) obstacle = `a part of type ${part.type.type} with binary octets`;
      if (change !== undefined) changes.set(entity, change);
      if (change !== undefined || this.#headers.has(entity)) {
        const signed = part.parents.some((parent) => this.#parts[parent]?.type.type === 'multipart/signed');
        if (signed) broken.add('multipart/signed');
      }
      // RFC 2046 §5.2.2.1: its halves are put together by the reader before they mean anything.
      if (change !== undefined && part.type.type === 'message/partial') obstacle = 'a part of type message/partial';
    }
    if (this.#task.binary && broken.has('multipart/signed')) obstacle = 'a signed part';
    return {
      changes,
      broken: [...broken],
      task: this.#task,
      ...(obstacle !== undefined && { obstacle }),
    };
  }
}

/** Octets that no line of at most 998 can carry (RFC 2045 §2.7 and §2.8). `line`: a line of the walker, or a piece of one. */
function isBinary(line: Buffer): boolean {
  const ended = line.at(-1) === 10 && line.at(-2) === 13;
  const text = ended ? line.subarray(0, -2) : line;
  return text.length > 998 || text.includes(0) || text.includes(10) || text.includes(13);
}

/** RFC 2046 §5: composites take no encoding. RFC 2045 §6.1: what is encoded already holds lines of text. */
function cannotBeEncoded({ type, encoding }: EntityType): boolean {
  return /^(?:multipart|message)\//.test(type) || /^(?:base64|quoted-printable)$/.test(encoding);
}

function changeOf(
  { type: { type, encoding }, high, octets, binary }: PartFacts,
  { eightBit }: ConversionTask,
): Change | undefined {
  if (binary) return 'base64';
  if (high === 0 || eightBit) return undefined;
  if (encoding === 'quoted-printable') return 'escape';
  if (encoding === 'base64') return 'strip';
  const text = type === '' || type.startsWith('text/');
  // What is mostly other than ASCII is shorter, and no less readable, in base64.
  return text && high * 3 < octets ? 'quoted-printable' : 'base64';
}

/** Second pass: the same content in, 7-bit content out. */
export class SevenBitWriter {
  readonly #plan: SevenBitPlan;
  readonly #walker: MimeWalker;
  /** Encoding of what holds other parts, or is not changed. */
  readonly #lesser: '7bit' | '8bit';
  #out: Buffer[] = [];
  #encoder: TransferEncoder | undefined;
  /** Lines of the field that is being read; undefined: it is left out. */
  #field: Buffer[] | undefined = [];
  #versioned = false;
  /** Line end at the end of what was encoded: it may belong to a delimiter. */
  #break: Buffer = none;

  constructor(plan: SevenBitPlan) {
    this.#plan = plan;
    const { binary = false, eightBit = false } = plan.task;
    const events: WalkerEvents = {
      headerLine: (entity, line, first) => this.#headerLine(entity, line, first),
      headerEnd: (entity, blank, found) => this.#headerEnd(entity, blank, found),
      body: (entity, octets) => this.#body(entity, octets),
      bodyEnd: (_entity, delimited) => this.#bodyEnd(delimited),
      between: (line) => this.#out.push(textOnly(line, plan.task)),
    };
    this.#walker = new MimeWalker(events, { crlfOnly: binary });
    this.#lesser = eightBit ? '8bit' : '7bit';
  }

  push(chunk: Buffer): Buffer {
    this.#walker.push(chunk);
    return this.#taken();
  }

  end(): Buffer {
    this.#walker.end();
    return this.#taken();
  }

  #taken(): Buffer {
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  #headerLine(entity: number, line: Buffer, first: boolean): void {
    if (first) {
      this.#endField();
      const name = /^[!-9;-~]+/.exec(line.toString('latin1', 0, 80))?.[0].toLowerCase() ?? '';
      if (entity === 0 && name === 'mime-version') this.#versioned = true;
      // Written anew behind the others, with what it will be.
      this.#field = name === 'content-transfer-encoding' && this.#rewritesEncoding(entity) ? undefined : [];
    }
    this.#field?.push(line);
  }

  /** Of composites too: '8bit' would be a lie about what stands in them. */
  #rewritesEncoding(entity: number): boolean {
    const change = this.#plan.changes.get(entity);
    return change !== 'escape' && change !== 'strip';
  }

  #headerEnd(entity: number, blank: Buffer | undefined, { type, encoding }: EntityType): void {
    this.#endField();
    const change = this.#plan.changes.get(entity);
    const fields: string[] = [];
    if (change === 'quoted-printable' || change === 'base64') {
      if (entity === 0 && !this.#versioned) fields.push('MIME-Version: 1.0');
      // RFC 1428 §3: nobody said what the octets mean.
      if (entity === 0 && type === '') fields.push('Content-Type: text/plain; charset=unknown-8bit');
      fields.push(`Content-Transfer-Encoding: ${change}`);
      this.#encoder = change === 'base64' ? new Base64Encoder() : new QuotedPrintableEncoder();
    } else if (encoding !== '' && this.#rewritesEncoding(entity)) {
      fields.push(`Content-Transfer-Encoding: ${/^(?:8bit|binary)$/.test(encoding) ? this.#lesser : encoding}`);
    }
    this.#out.push(Buffer.from(fields.map((field) => `${field}\r\n`).join('')));
    if (blank !== undefined) this.#out.push(blank);
    else if (this.#encoder !== undefined) this.#out.push(Buffer.from('\r\n'));
  }

  #body(entity: number, octets: Buffer): void {
    if (this.#encoder !== undefined) this.#out.push(this.#encoder.push(this.#withoutBreak(octets)));
    else if (this.#lesser === '8bit' || highOctets(octets) === 0) this.#out.push(octets);
    else this.#out.push(this.#plan.changes.get(entity) === 'escape' ? escaped(octets) : stripped(octets));
  }

  /** The line end that was held before, and the octets up to their own last one, which is held in turn. */
  #withoutBreak(octets: Buffer): Buffer {
    const all = Buffer.concat([this.#break, octets]);
    const length = all.at(-1) === 10 ? (all.at(-2) === 13 ? 2 : 1) : 0;
    this.#break = all.subarray(all.length - length);
    return all.subarray(0, all.length - length);
  }

  #bodyEnd(delimited: boolean): void {
    const encoder = this.#encoder;
    const held = this.#break;
    this.#break = none;
    this.#encoder = undefined;
    if (encoder === undefined) return;
    if (!delimited) this.#out.push(encoder.push(held));
    this.#out.push(encoder.end());
    if (delimited && encoder instanceof QuotedPrintableEncoder) this.#out.push(held);
  }

  #endField(): void {
    const field = this.#field ?? [];
    if (field.length > 0) {
      const octets = Buffer.concat(field);
      this.#out.push(this.#lesser === '8bit' ? octets : headerField(octets));
    }
    this.#field = undefined;
  }
}

/** A field with raw octets in it, as encoded words: a quoted string as a whole, else word by word (RFC 2047 §5). */
function headerField(field: Buffer): Buffer {
  if (highOctets(field) === 0) return field;
  const text = field.toString('utf8');
  const words = /"(?:[^"\\\r\n]|\\.)*"|[^\s"<>(),;:@]+/g;
  const encoded = text.replace(words, (word) => {
    if (/^[\0-\x7f]*$/.test(word)) return word;
    return encodeWords(word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word);
  });
  return ascii(Buffer.from(encoded));
}

function highOctets(octets: Buffer): number {
  let count = 0;
  for (const octet of octets) if (octet > 127) count += 1;
  return count;
}

/** Where nobody reads, or nothing better is left: '?' for each octet. */
function ascii(octets: Buffer): Buffer {
  return highOctets(octets) === 0 ? octets : Buffer.from(octets.map((octet) => (octet > 127 ? 63 : octet)));
}

/** Preamble, epilogue and delimiters, which readers skip. */
function textOnly(line: Buffer, { binary, eightBit }: ConversionTask): Buffer {
  const octets = eightBit ? line : ascii(line);
  return binary && octets.includes(0) ? Buffer.from(octets.map((octet) => octet || 63)) : octets;
}

function escaped(octets: Buffer): Buffer {
  return Buffer.from(
    octets.toString('latin1').replace(/[\x80-\xff]/g, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase()}`),
    'latin1',
  );
}

function stripped(octets: Buffer): Buffer {
  return Buffer.from(octets.filter((octet) => octet < 128));
}
