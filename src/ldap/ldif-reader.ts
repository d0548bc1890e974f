/** LDIF, RFC 2849: content and change records from text or from a stream. `increment` is taken too (RFC 4525 §2). */
import type { AttributeValues, Modification } from './modification.ts';

interface Common {
  /** Number of the record's first line, from 1. */
  readonly line: number;
  readonly dn: string;
  readonly controls: readonly LdifControl[];
}

export interface LdifControl {
  readonly oid: string;
  readonly critical: boolean;
  readonly value?: Buffer;
}

export type LdifRecord =
  | (Common & { readonly kind: 'content' | 'add'; readonly attributes: readonly AttributeValues[] })
  | (Common & { readonly kind: 'modify'; readonly modifications: readonly Modification[] })
  | (Common & { readonly kind: 'delete' })
  | (Common & {
      readonly kind: 'modifyDn';
      readonly newRdn: string;
      readonly deleteOldRdn: boolean;
      readonly newSuperior?: string;
    });

/** LDIF that cannot be read; the message names the line. */
export class LdifError extends RangeError {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.name = 'LdifError';
    this.line = line;
  }
}

/** Most characters of one record: a file that never separates records must not fill the memory. */
const maxRecordLength = 64 * 1024 * 1024;

/** Reads the records of a text, or of its pieces, one after the other. Throws LdifError where it is malformed. */
export function* readLdif(text: string | Iterable<string>): Generator<LdifRecord, void, undefined> {
  const collector = new RecordCollector();
  let rest = '';
  for (const piece of typeof text === 'string' ? [text] : text) {
    const all = rest === '' ? piece : rest + piece;
    let from = 0;
    for (let end = all.indexOf('\n'); end >= 0; end = all.indexOf('\n', from)) {
      const record = collector.line(all.slice(from, end));
      if (record !== undefined) yield record;
      from = end + 1;
    }
    rest = all.slice(from);
    if (rest.length > maxRecordLength) throw new LdifError(collector.lineNumber + 1, 'the line is too long');
  }
  const record = rest === '' ? undefined : collector.line(rest);
  if (record !== undefined) yield record;
  const last = collector.end();
  if (last !== undefined) yield last;
}

/** Reads the records of a stream of octets, such as a file; holds one record at a time. Throws LdifError. */
export async function* readLdifStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LdifRecord, void, undefined> {
  const collector = new RecordCollector();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxRecordLength) throw new LdifError(collector.lineNumber + 1, 'the line is too long');
    for (const line of lines) {
      const record = collector.line(line);
      if (record !== undefined) yield record;
    }
  }
  const record = collector.line(rest + decoder.decode());
  if (record !== undefined) yield record;
  const last = collector.end();
  if (last !== undefined) yield last;
}

interface Line {
  readonly number: number;
  text: string;
}

/** Puts folded lines together, drops comments, cuts records at empty lines. */
class RecordCollector {
  lineNumber = 0;
  #lines: Line[] = [];
  #length = 0;
  #first = true;
  #previous: 'none' | 'comment' | 'line' = 'none';

  line(raw: string): LdifRecord | undefined {
    this.lineNumber += 1;
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (text === '') {
      this.#previous = 'none';
      return this.end();
    }
    if (text.startsWith(' ')) this.#fold(text.slice(1));
    else if (text.startsWith('#')) this.#previous = 'comment';
    else {
      this.#lines.push({ number: this.lineNumber, text });
      this.#previous = 'line';
    }
    this.#length += text.length;
    if (this.#length > maxRecordLength) throw new LdifError(this.lineNumber, 'the record is too long');
    return undefined;
  }

  end(): LdifRecord | undefined {
    let lines = this.#lines;
    this.#lines = [];
    this.#length = 0;
    const [first] = lines;
    if (first === undefined) return undefined;
    if (this.#first && /^version:/i.test(first.text)) {
      if (!/^version: *1 *$/i.test(first.text))
        throw new LdifError(first.number, `'${first.text}': only version 1 is known`);
      lines = lines.slice(1);
    }
    this.#first = false;
    return lines.length === 0 ? undefined : parseRecord(lines);
  }

  #fold(text: string): void {
    const last = this.#lines.at(-1);
    if (this.#previous === 'none' || last === undefined) {
      if (this.#previous === 'comment') return;
      throw new LdifError(this.lineNumber, 'begins with a space but continues no line');
    }
    if (this.#previous === 'line') last.text += text;
  }
}

interface Field {
  readonly line: number;
  readonly name: string;
  readonly value: Buffer;
}

function parseField({ number, text }: Line): Field {
  const colon = text.indexOf(':');
  if (colon < 1) throw new LdifError(number, `'${text.slice(0, 60)}' has no attribute and colon`);
  const name = text.slice(0, colon).trim();
  const mark = text[colon + 1];
  if (mark === '<') throw new LdifError(number, `${name}: values from URLs are refused`);
  const rest = text.slice(colon + (mark === ':' ? 2 : 1)).replace(/^ +/, '');
  if (mark !== ':') return { line: number, name, value: Buffer.from(rest) };
  const base64 = rest.trimEnd();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new LdifError(number, `${name}: the value is not base64`);
  return { line: number, name, value: Buffer.from(base64, 'base64') };
}

function parseRecord(lines: readonly Line[]): LdifRecord {
  const [first] = lines;
  if (first === undefined) throw new LdifError(0, 'the record is empty');
  const head = parseField(first);
  if (head.name.toLowerCase() !== 'dn')
    throw new LdifError(first.number, `a record begins with 'dn:', not '${head.name}:'`);
  const fields = lines.slice(1);
  const controls: LdifControl[] = [];
  while (fields[0] !== undefined && /^control:/i.test(fields[0].text))
    controls.push(parseControl(fields.shift() ?? fields[0]));
  const common = { line: first.number, dn: head.value.toString('utf8'), controls };
  const [changeLine] = fields;
  if (changeLine === undefined || !/^changetype:/i.test(changeLine.text)) {
    if (controls.length > 0) throw new LdifError(first.number, 'controls stand in change records only');
    return { ...common, kind: 'content', attributes: attributes(fields) };
  }
  return parseChange(common, changeLine, fields.slice(1));
}

function parseChange(common: Common, changeLine: Line, fields: readonly Line[]): LdifRecord {
  const change = parseField(changeLine).value.toString('utf8').trim().toLowerCase();
  switch (change) {
    case 'add':
      return { ...common, kind: 'add', attributes: attributes(fields) };
    case 'modify':
      return { ...common, kind: 'modify', modifications: modifications(fields) };
    case 'delete':
      if (fields[0] !== undefined) throw new LdifError(fields[0].number, 'nothing follows a delete');
      return { ...common, kind: 'delete' };
    case 'modrdn':
    case 'moddn':
      return { ...common, kind: 'modifyDn', ...newName(changeLine, fields) };
    default:
      throw new LdifError(changeLine.number, `changetype '${change}' is unknown`);
  }
}

function parseControl({ number, text }: Line): LdifControl {
  const [, oid = '', critical, mark, value = ''] =
    /^control: *([\d.]+)(?: +(true|false))?(?:(::?)(?!<) *(.*))?$/i.exec(text) ?? [];
  if (oid === '') throw new LdifError(number, `'${text.slice(0, 60)}' is not a control`);
  const common = { oid, critical: critical?.toLowerCase() === 'true' };
  return mark === undefined ? common : { ...common, value: Buffer.from(value, mark === '::' ? 'base64' : 'utf8') };
}

function attributes(lines: readonly Line[]): AttributeValues[] {
  const grouped = new Map<string, { attribute: string; values: Buffer[] }>();
  for (const line of lines) {
    const { name, value } = parseField(line);
    const group = grouped.get(name.toLowerCase()) ?? { attribute: name, values: [] };
    group.values.push(value);
    grouped.set(name.toLowerCase(), group);
  }
  return [...grouped.values()];
}

const operations: Readonly<Record<string, Modification['operation']>> = {
  add: 'add',
  delete: 'delete',
  replace: 'replace',
  increment: 'increment',
};

function modifications(lines: readonly Line[]): Modification[] {
  const list: Modification[] = [];
  let open: { operation: Modification['operation']; attribute: string; values: Buffer[] } | undefined;
  for (const line of lines) {
    if (line.text.trimEnd() === '-') {
      if (open === undefined) throw new LdifError(line.number, "'-' ends nothing");
      list.push(open);
      open = undefined;
      continue;
    }
    const { name, value } = parseField(line);
    if (open === undefined) {
      const operation = operations[name.toLowerCase()];
      if (operation === undefined)
        throw new LdifError(line.number, `'${name}' is none of add, delete, replace, increment`);
      open = { operation, attribute: value.toString('utf8').trim(), values: [] };
    } else if (name.toLowerCase() === open.attribute.toLowerCase()) open.values.push(value);
    else throw new LdifError(line.number, `'${name}' stands in the changes of '${open.attribute}'`);
  }
  if (open !== undefined) list.push(open);
  return list;
}

function newName(
  changeLine: Line,
  lines: readonly Line[],
): { newRdn: string; deleteOldRdn: boolean; newSuperior?: string } {
  const fields = new Map(
    lines.map((line) => [parseField(line).name.toLowerCase(), parseField(line).value.toString('utf8')]),
  );
  const newRdn = fields.get('newrdn');
  const deleteOld = fields.get('deleteoldrdn')?.trim();
  if (newRdn === undefined || (deleteOld !== '0' && deleteOld !== '1')) {
    throw new LdifError(changeLine.number, 'a rename has newrdn and deleteoldrdn (0 or 1)');
  }
  const newSuperior = fields.get('newsuperior');
  const common = { newRdn, deleteOldRdn: deleteOld === '1' };
  return newSuperior === undefined ? common : { ...common, newSuperior };
}
