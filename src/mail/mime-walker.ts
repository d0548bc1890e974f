/**
 * The MIME structure of a message, line by line, without holding it: RFC 2045, RFC 2046 §5. The same octets always give the
 * same numbers to the same parts, so that a second pass finds what a first one noted.
 */

export interface EntityType {
  /** 'text/plain', lower case; '' when absent. */
  readonly type: string;
  /** Content-Transfer-Encoding, lower case; '' when absent. */
  readonly encoding: string;
  /** What the delimiters of its parts are known by; '' when absent. */
  readonly boundary: string;
}

/** What a line, or a piece of a long one, is. Octets keep their line end. */
export interface WalkerEvents {
  /** A line of the header of entity `entity`, the empty one not included. `first`: a field begins with it. */
  headerLine(entity: number, line: Buffer, first: boolean): void;
  /** The header of the entity is over. `blank` is the empty line, if there is one. `parents` are the entities around it, outermost first. */
  headerEnd(entity: number, blank: Buffer | undefined, found: EntityType, parents: readonly number[]): void;
  /** Content of an entity without parts. */
  body(entity: number, octets: Buffer): void;
  /** Content of a leaf is over. `delimited`: its last line end belongs to the delimiter that follows (RFC 2046 §5.1.1). */
  bodyEnd(entity: number, delimited: boolean): void;
  /** A delimiter, or what stands before the first and behind the last one. */
  between(line: Buffer): void;
}

/** Deeper nesting is content: no honest message needs it. */
const mostLevels = 40;
/** Parts told apart; what follows belongs to the last one. */
const mostEntities = 10_000;
/** Octets of a line that are looked at as a whole; longer ones come in pieces. */
const longestLine = 64 * 1024;
/** Octets of a field that are read for its meaning. */
const longestField = 8 * 1024;

interface Entity {
  readonly number: number;
  /** Boundary of a multipart; '' for an enclosed message. */
  boundary: string;
}

type Place = 'header' | 'leaf' | 'between';

export class MimeWalker {
  readonly #events: WalkerEvents;
  /** Only CRLF ends a line: an LF alone is an octet of the content, as under BINARYMIME (RFC 3030 §3). */
  readonly #crlfOnly: boolean;
  /** Multiparts and enclosed messages that are open, outermost first. */
  readonly #open: Entity[] = [];
  #count = 0;
  #current = 0;
  #place: Place = 'header';
  #rest: Buffer = Buffer.alloc(0);
  /** The line that comes next continues one that was too long. */
  #continued = false;
  #type = '';
  #encoding = '';
  #boundary = '';
  #field: { readonly name: string; value: string } | undefined;

  constructor(events: WalkerEvents, { crlfOnly = false } = {}) {
    this.#events = events;
    this.#crlfOnly = crlfOnly;
  }

  push(chunk: Buffer): void {
    const octets = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = this.#lineEnd(octets, 0); end >= 0; end = this.#lineEnd(octets, start)) {
      this.#line(octets.subarray(start, end + 1), true);
      start = end + 1;
    }
    this.#rest = octets.subarray(start);
    if (this.#rest.length <= longestLine) return;
    // A CR at the end may be half of a line end.
    const piece = this.#rest.at(-1) === 13 ? this.#rest.length - 1 : this.#rest.length;
    this.#line(this.#rest.subarray(0, piece), false);
    this.#rest = this.#rest.subarray(piece);
  }

  #lineEnd(octets: Buffer, from: number): number {
    let end = octets.indexOf(10, from);
    while (this.#crlfOnly && end >= 0 && (end === from || octets[end - 1] !== 13)) end = octets.indexOf(10, end + 1);
    return end;
  }

  end(): void {
    if (this.#rest.length > 0) this.#line(this.#rest, true);
    this.#rest = Buffer.alloc(0);
    this.#cutHeader();
    this.#leave(false);
  }

  #line(line: Buffer, complete: boolean): void {
    const whole = !this.#continued;
    this.#continued = !complete;
    if (whole && line[0] === 45 && line[1] === 45 && this.#delimiter(line)) return;
    if (this.#place === 'between') return this.#events.between(line);
    if (this.#place === 'leaf') return this.#events.body(this.#current, line);
    if (whole && isEmpty(line)) return this.#endHeader(line);
    const first = whole && line[0] !== 32 && line[0] !== 9;
    this.#readField(line, first);
    this.#events.headerLine(this.#current, line, first);
  }

  /** RFC 2046 §5.1.1: a delimiter of an outer multipart ends every inner one. */
  #delimiter(line: Buffer): boolean {
    const text = line.toString('latin1', 2, 2 + 80).trimEnd();
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const { boundary } = this.#open[level] ?? { boundary: '' };
      if (boundary === '' || (text !== boundary && text !== `${boundary}--`)) continue;
      this.#cutHeader();
      this.#leave(true);
      this.#open.length = level + 1;
      this.#events.between(line);
      if (text === boundary) this.#enter();
      else {
        this.#open.length = level;
        this.#place = 'between';
      }
      return true;
    }
    return false;
  }

  #enter(): void {
    this.#count += 1;
    this.#current = this.#count;
    this.#place = 'header';
    this.#type = '';
    this.#encoding = '';
    this.#boundary = '';
    this.#field = undefined;
  }

  #leave(delimited: boolean): void {
    if (this.#place === 'leaf') this.#events.bodyEnd(this.#current, delimited);
    this.#place = 'between';
  }

  /** A header without an empty line. That of an enclosed message may follow at once, and is then empty too. */
  #cutHeader(): void {
    while (this.#place === 'header') this.#endHeader(undefined);
  }

  #endHeader(blank: Buffer | undefined): void {
    this.#takeField();
    const found = { type: this.#type, encoding: this.#encoding, boundary: this.#boundary };
    const parents = this.#open.map(({ number }) => number);
    this.#events.headerEnd(this.#current, blank, found, parents);
    const identity = /^(?:|7bit|8bit|binary)$/.test(this.#encoding);
    const nested = this.#open.length < mostLevels && this.#count < mostEntities && identity;
    if (nested && this.#type.startsWith('multipart/') && this.#boundary !== '') {
      this.#open.push({ number: this.#current, boundary: this.#boundary });
      this.#place = 'between';
    } else if (nested && /^message\/(?:rfc822|global)$/.test(this.#type)) {
      this.#open.push({ number: this.#current, boundary: '' });
      this.#enter();
    } else this.#place = 'leaf';
  }

  #readField(line: Buffer, first: boolean): void {
    const text = line.toString('latin1');
    if (!first) {
      if (this.#field !== undefined && this.#field.value.length < longestField) this.#field.value += ` ${text.trim()}`;
      return;
    }
    this.#takeField();
    const [, name = '', value = ''] = /^(content-type|content-transfer-encoding)[ \t]*:([^]*)$/i.exec(text) ?? [];
    this.#field =
      name === ''
        ? undefined
        : {
            name: name.toLowerCase(),
            value: value.trim().slice(0, longestField),
          };
  }

  #takeField(): void {
    const { name, value = '' } = this.#field ?? {};
    this.#field = undefined;
    // The first one counts, as with most readers.
    if (name === 'content-transfer-encoding' && this.#encoding === '') {
      this.#encoding = /^[^\s;(]*/.exec(value)?.[0].toLowerCase() ?? '';
    }
    if (name !== 'content-type' || this.#type !== '') return;
    this.#type = /^[^\s;(]*/.exec(value)?.[0].toLowerCase() ?? '';
    const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(value) ?? [];
    this.#boundary = (quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '').trimEnd().slice(0, 70);
  }
}

function isEmpty(line: Buffer): boolean {
  return line[0] === 10 || (line[0] === 13 && line[1] === 10);
}
