/**
 * Writes a message in the form of a remote domain while it streams by: text parts one by one (each held whole, up to a bound),
 * alternatives left out by ContentType. Signed and encrypted parts, attachments and everything else pass untouched.
 */
import { type EntityType, MimeWalker, type WalkerEvents } from '../../mail/index.ts';
import type { ContentForm } from './remote-domain-form.ts';
import { formText } from './text-form.ts';

/** A longer text stays as it is. */
const longestText = 1024 ** 2;

interface Entity {
  readonly type: string;
  /** Boundary of a multipart; '' for others. */
  readonly boundary: string;
  /** Types of the parts in it so far. */
  readonly parts: string[];
  /** Nothing in it may be changed. */
  readonly sealed: boolean;
}

interface Text {
  readonly fields: readonly Buffer[];
  readonly blank: Buffer | undefined;
  readonly type: string;
  readonly encoding: string;
  readonly charset: string;
  readonly plain: boolean;
  readonly chunks: Buffer[];
  octets: number;
}

export class ContentFormWriter {
  readonly #form: ContentForm;
  readonly #walker: MimeWalker;
  readonly #entities: Entity[] = [];
  #out: Buffer[] = [];
  #fields: Buffer[] = [];
  #text: Text | undefined;
  /** Delimiter of the part whose header is being read. */
  #delimiter: Buffer | undefined;
  /** A plain text that goes when HTML follows: its octets with its delimiter. */
  #doubtful: Buffer[] | undefined;
  /** A part is left out: boundaries of the multiparts that it is in, whose delimiters end it (RFC 2046 §5.1.1). */
  #leavingOut: readonly string[] | undefined;

  constructor(form: ContentForm) {
    this.#form = form;
    const events: WalkerEvents = {
      headerLine: (_entity, line, first) => {
        if (first) this.#fields.push(Buffer.from(line));
        else this.#fields.push(Buffer.concat([this.#fields.pop() ?? Buffer.alloc(0), line]));
      },
      headerEnd: (entity, blank, found, parents) => this.#headerEnd(entity, blank, found, parents),
      body: (_entity, octets) => this.#body(octets),
      bodyEnd: (_entity, delimited) => this.#bodyEnd(delimited),
      between: (line) => this.#between(line),
    };
    this.#walker = new MimeWalker(events);
  }

  push(chunk: Buffer): Buffer {
    this.#walker.push(chunk);
    return this.#taken();
  }

  end(): Buffer {
    this.#walker.end();
    this.#settleDoubt(false);
    this.#takeDelimiter();
    return this.#taken();
  }

  #taken(): Buffer {
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  #takeDelimiter(): void {
    if (this.#delimiter !== undefined) this.#out.push(this.#delimiter);
    this.#delimiter = undefined;
  }

  #settleDoubt(goes: boolean): void {
    if (this.#doubtful !== undefined && !goes) this.#out.push(...this.#doubtful);
    this.#doubtful = undefined;
  }

  #between(line: Buffer): void {
    const around = this.#leavingOut;
    if (around !== undefined) {
      const text = line.toString('latin1').trimEnd();
      if (!around.some((boundary) => text === `--${boundary}` || text === `--${boundary}--`)) return;
      this.#leavingOut = undefined;
    }
    if (/--\s*$/.test(line.toString('latin1'))) this.#settleDoubt(false);
    this.#takeDelimiter();
    // In doubt whether the part before goes: its delimiter stands in front of it, this one behind.
    this.#delimiter = Buffer.from(line);
  }

  #headerEnd(entity: number, blank: Buffer | undefined, found: EntityType, parents: readonly number[]): void {
    const fields = this.#fields;
    this.#fields = [];
    if (this.#leavingOut !== undefined) return;
    const value = valueOf(fields, 'content-type');
    const parent = this.#entities[parents.at(-1) ?? -1];
    const sealed = parent?.sealed === true || /^(?:multipart\/(?:signed|encrypted)|message\/.*)$/.test(found.type);
    this.#entities[entity] = { type: found.type, boundary: found.boundary, parts: [], sealed };
    const alternative = parent?.type === 'multipart/alternative' && !sealed ? parent : undefined;
    if (alternative !== undefined && this.#isLeftOut(found.type, alternative)) {
      this.#delimiter = undefined;
      this.#leavingOut = parents.map((number) => this.#entities[number]?.boundary ?? '').filter((one) => one !== '');
      return;
    }
    if (alternative !== undefined) alternative.parts.push(found.type);
    const delimiter = this.#delimiter;
    this.#delimiter = undefined;
    const isHtml = /^(?:text\/html|multipart\/related)$/.test(found.type);
    this.#settleDoubt(isHtml && alternative !== undefined);
    const inDoubt =
      this.#form.contentType === 'MimeHtml' && alternative?.parts.length === 1 && found.type === 'text/plain';
    if (inDoubt) this.#doubtful = [];
    this.#put(delimiter);
    const plain = entity === 0 && found.type === '' && valueOf(fields, 'mime-version') === '';
    const isText = /^text\/(?:plain|html)$/.test(found.type) || (entity === 0 && found.type === '');
    const attached = /^attachment/i.test(valueOf(fields, 'content-disposition'));
    if (!isText || sealed || attached) return this.#put(...fields, blank);
    const charset = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(value);
    const { type, encoding } = found;
    const said = charset?.[1] ?? charset?.[2] ?? '';
    this.#text = { fields, blank, type, encoding, charset: said, plain, chunks: [], octets: 0 };
  }

  #isLeftOut(type: string, { parts }: Entity): boolean {
    const { contentType } = this.#form;
    return contentType === 'MimeText' && parts[0] === 'text/plain' && /^(?:text\/html|multipart\/related)$/.test(type);
  }

  #put(...octets: readonly (Buffer | undefined)[]): void {
    const target = this.#doubtful ?? this.#out;
    for (const one of octets) if (one !== undefined) target.push(one);
  }

  #body(octets: Buffer): void {
    if (this.#leavingOut !== undefined) return;
    const text = this.#text;
    if (text === undefined) return this.#put(Buffer.from(octets));
    text.chunks.push(Buffer.from(octets));
    text.octets += octets.length;
    if (text.octets <= longestText) return;
    this.#text = undefined;
    this.#put(...text.fields, text.blank, ...text.chunks);
  }

  #bodyEnd(delimited: boolean): void {
    const text = this.#text;
    this.#text = undefined;
    if (text === undefined) return;
    const all = Buffer.concat(text.chunks);
    // RFC 2046 §5.1.1: the last line end belongs to the delimiter.
    const end = delimited && all.at(-1) === 10 ? (all.at(-2) === 13 ? 2 : 1) : 0;
    const body = all.subarray(0, all.length - end);
    const formed = formText({ ...text, body }, this.#form);
    if (formed === undefined) return this.#put(...text.fields, text.blank, all);
    const kept = text.fields.filter(
      (field) => text.plain || !/^content-(?:type|transfer-encoding)[ \t]*:/i.test(field.toString('latin1', 0, 40)),
    );
    const type = valueOf(text.fields, 'content-type').replace(/;\s*charset\s*=\s*(?:"[^"]*"|[^\s;]+)/i, '');
    const fields = [
      `Content-Type: ${type === '' ? 'text/plain' : type};\r\n\tcharset="${formed.charset}"`,
      ...(formed.encoding === '' ? [] : [`Content-Transfer-Encoding: ${formed.encoding}`]),
    ];
    const added = Buffer.from(text.plain ? '' : fields.map((field) => `${field}\r\n`).join(''));
    this.#put(...kept, added, text.blank ?? Buffer.from('\r\n'), formed.body, all.subarray(all.length - end));
  }
}

/** Unfolded value of the first field of that name; '' when absent. */
function valueOf(fields: readonly Buffer[], name: string): string {
  for (const field of fields) {
    const text = field.toString('latin1');
    const colon = text.indexOf(':');
    if (text.slice(0, colon).trim().toLowerCase() === name)
      return text
        .slice(colon + 1)
        .replace(/\r?\n/g, '')
        .trim();
  }
  return '';
}
