/** Schema descriptions as text: the grammar of RFC 4512 §4.1, read into fields. */

/** A description in parentheses: its numeric OID and its fields. */
export interface Description {
  readonly oid: string;
  /** Upper-case keyword to its values; a keyword without value has none. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** As written, spaces folded. */
  readonly text: string;
}

/** Keywords that stand alone. */
const flags: ReadonlySet<string> = new Set([
  'OBSOLETE',
  'SINGLE-VALUE',
  'COLLECTIVE',
  'NO-USER-MODIFICATION',
  'ABSTRACT',
  'STRUCTURAL',
  'AUXILIARY',
]);

const tokenPattern = /\s*(?:('(?:[^'])*')|([()$])|([^\s'()$]+))/y;

/** Reads one description. Throws RangeError that says what was expected. */
export function parseDescription(text: string): Description {
  const tokens = tokenize(text);
  let at = 0;
  const next = (): string => tokens[at++] ?? fail(text, 'ends too early');
  if (next() !== '(') fail(text, "does not begin with '('");
  const oid = next();
  if (!/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+$/.test(oid)) fail(text, `has '${oid}' where a numeric OID belongs`);
  const fields = new Map<string, readonly string[]>();
  for (let keyword = next(); keyword !== ')'; keyword = next()) {
    const name = keyword.toUpperCase();
    if (fields.has(name)) fail(text, `has ${name} twice`);
    fields.set(name, flags.has(name) ? [] : values(next, text));
  }
  if (at !== tokens.length) fail(text, "goes on after ')'");
  return { oid, fields, text: text.trim().replace(/\s+/g, ' ') };
}

function values(next: () => string, text: string): string[] {
  const first = next();
  if (first !== '(') return [unquote(first, text)];
  const list: string[] = [];
  for (let token = next(); token !== ')'; token = next()) if (token !== '$') list.push(unquote(token, text));
  return list;
}

function unquote(token: string, text: string): string {
  if (token === '(' || token === ')' || token === '$') fail(text, `has '${token}' where a value belongs`);
  if (!token.startsWith("'")) return token;
  return token.slice(1, -1).replace(/\\(27|5c)/gi, (_, code: string) => (code === '27' ? "'" : '\\'));
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const end = text.trimEnd().length;
  for (let at = 0; at < end; at = tokenPattern.lastIndex) {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text) ?? fail(text, `cannot be read at position ${at}`);
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
}

function fail(text: string, what: string): never {
  throw new RangeError(`schema description '${text.trim().slice(0, 120)}' ${what}`);
}
