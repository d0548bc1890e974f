import { UnspecifiedDate, UtcDate } from '../values/date-kind.ts';
import { Hashtable } from '../values/hashtable.ts';
import { timeSpan } from '../values/quantity.ts';
import { customObject, ShellObject } from '../values/shell-object.ts';

/** An element of CLIXML ([MS-PSRP] 2.2.5) with what is in it. */
interface Element {
  readonly tag: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

/** Deepest nesting that is read. */
const maxDepth = 100;

// Declarations, comments and processing instructions are passed; a document type is none of CLIXML and is refused.
const token = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)(\w+)((?:\s+\w+(?::\w+)?\s*=\s*"[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

/** Reads a document into its elements. Throws RangeError for text that is none. */
function readElements(document: string): Element {
  const root: Element = { tag: '', attributes: new Map(), children: [], text: '' };
  const open = [root];
  token.lastIndex = 0;
  const text = document.replace(/^\uFEFF/, '').trim();
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const [, closing, tag, attributes = '', empty, characters] = token.exec(text) ?? fail(at);
    const current = open.at(-1) ?? fail(at);
    if (characters !== undefined) current.text += characters;
    if (tag === undefined) continue;
    if (closing === '/') {
      if (current.tag !== tag || open.length === 1) fail(at);
      open.pop();
      continue;
    }
    const element: Element = { tag, attributes: readAttributes(attributes), children: [], text: '' };
    current.children.push(element);
    if (empty === '' && open.push(element) > maxDepth)
      throw new RangeError(`more than ${maxDepth} elements stand inside each other`);
  }
  if (open.length !== 1) fail(text.length);
  return root;
}

function fail(at: number): never {
  throw new RangeError(`the text is not CLIXML at character ${at + 1}`);
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/([\w:]+)\s*=\s*"([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)]),
  );
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text
    .replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = Number.parseInt(hex ?? decimal ?? '', hex === undefined ? 10 : 16);
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
    })
    .replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

const simple: Readonly<Record<string, (text: string) => unknown>> = {
  Nil: () => null,
  B: (text) => text === 'true',
  DT: dateOf,
  TS: duration,
  BA: (text) => new Uint8Array(Buffer.from(text, 'base64')),
  ...Object.fromEntries('I16 I32 I64 U16 U32 U64 By SB Db Sg D'.split(' ').map((tag) => [tag, Number])),
};

/** Its suffix says the kind, as XmlDateTimeSerializationMode.RoundtripKind has it. */
function dateOf(text: string): Date {
  if (text.endsWith('Z')) return new UtcDate(text);
  return /[+-]\d\d:\d\d$/.test(text) ? new Date(text) : new UnspecifiedDate(text);
}

function duration(text: string): unknown {
  const [, minus, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  const total = Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return timeSpan(minus === '-' ? -total : total);
}

/** Objects and types that later elements refer to by number. */
class Reader {
  readonly #objects = new Map<string, unknown>();
  readonly #types = new Map<string, string>();

  value(element: Element): unknown {
    const { tag, attributes, text } = element;
    const read = Object.hasOwn(simple, tag) ? simple[tag] : undefined;
    if (read !== undefined) return read(text);
    if (tag === 'Ref') return this.#objects.get(attributes.get('RefId') ?? '') ?? null;
    if (tag !== 'Obj') return unescaped(text);
    const value = this.#object(element);
    this.#objects.set(attributes.get('RefId') ?? '', value);
    return value;
  }

  #object(element: Element): unknown {
    const type = this.#typeOf(element);
    const part = (...tags: string[]): Element | undefined => element.children.find(({ tag }) => tags.includes(tag));
    const list = part('LST', 'IE', 'QUE', 'STK');
    if (list !== undefined) return list.children.map((child) => this.value(child));
    const table = part('DCT');
    if (table !== undefined) return new Hashtable(table.children.map(({ children }) => this.#entry(children)));
    const named = element.children
      .filter(({ tag }) => tag === 'Props' || tag === 'MS')
      .flatMap(({ children }) => children);
    if (named.length === 0) return unescaped(part('ToString', 'S')?.text ?? '');
    return new ShellObject(
      /PSCustomObject$/.test(type) ? customObject : type.replace(/^(?!System\.|Deserialized\.)/, 'Deserialized.'),
      named.map((child) => [child.attributes.get('N') ?? '', this.value(child)] as const),
    );
  }

  #entry(children: readonly Element[]): readonly [unknown, unknown] {
    const [key, value] = ['Key', 'Value'].map((name) =>
      children.find(({ attributes }) => attributes.get('N') === name),
    );
    return [key === undefined ? '' : this.value(key), value === undefined ? null : this.value(value)];
  }

  #typeOf({ children }: Element): string {
    const names = children.find(({ tag }) => tag === 'TN');
    const reference = children.find(({ tag }) => tag === 'TNRef')?.attributes.get('RefId');
    if (names === undefined) return this.#types.get(reference ?? '') ?? customObject;
    const type = unescaped(names.children[0]?.text ?? customObject);
    this.#types.set(names.attributes.get('RefId') ?? '', type);
    return type;
  }
}

/** The objects of a CLIXML document. Throws RangeError for text that is none. */
export function fromCliXml(document: string): readonly unknown[] {
  const root = readElements(document).children.find(({ tag }) => tag === 'Objs');
  if (root === undefined) throw new RangeError('the text has no element Objs');
  const reader = new Reader();
  return root.children.map((child) => reader.value(child));
}
