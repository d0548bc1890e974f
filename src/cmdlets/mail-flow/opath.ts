/** Filters of the -Filter parameters (OPATH): `Status -eq 'Retry' -and MessageCount -gt 10`. */
import { nearestNameHint, parseByteSize, parseDate, parseTimeSpan, wildcardTest } from '../../base/index.ts';
import { Quantity } from '../../config/index.ts';
import { badArgument } from '../parameter-values.ts';
import type { PropertyReader } from '../runtime.ts';

/** Tells whether an object is meant. */
export type Predicate = (object: PropertyReader) => boolean;

type Token = { readonly kind: 'word' | 'text' | 'operator' | '(' | ')'; readonly value: string };

/** Deepest nesting of parentheses. */
const maxDepth = 50;

const tokenPattern = /\s*(?:(\()|(\))|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(-[A-Za-z]+(?![\w.]))|([^\s()'"]+))/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const plain = text
    .replace(/[\u2018\u2019\u201b]/g, "'")
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2013\u2014]/g, '-');
  tokenPattern.lastIndex = 0;
  while (plain.slice(tokenPattern.lastIndex).trim() !== '') {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(plain);
    if (match === null)
      throw badArgument(
        'Filter',
        `It cannot be read from '${plain.slice(at, at + 20)}' on: a quotation mark is left open.`,
      );
    const [, open, close, single, double, operator, word = ''] = match;
    if (open !== undefined) tokens.push({ kind: '(', value: open });
    else if (close !== undefined) tokens.push({ kind: ')', value: close });
    else if (single !== undefined) tokens.push({ kind: 'text', value: single.replaceAll("''", "'") });
    else if (double !== undefined) tokens.push({ kind: 'text', value: double.replaceAll('""', '"') });
    else if (operator !== undefined) tokens.push({ kind: 'operator', value: operator.toLowerCase() });
    else tokens.push({ kind: 'word', value: word });
  }
  return tokens;
}

type Compare = (left: unknown, right: string) => boolean;

const folded = (value: unknown): string => (value === null || value === undefined ? '' : textOf(value)).toLowerCase();

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.map(textOf).join(',') : String(value);
}

/** A number, size, span or date that a text stands for, as the property has it; undefined when it is none. */
function numberLike(left: number | Quantity | Date, right: string): number | undefined {
  if (left instanceof Date) return parseDate(right)?.getTime();
  if (/^unlimited$/i.test(right)) return Infinity;
  try {
    const isSpan = left instanceof Quantity && left.typeName === 'EnhancedTimeSpan';
    return isSpan ? parseTimeSpan(right) : (numeric(Number(right)) ?? parseByteSize(right));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function numeric(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

/** Numbers, sizes and dates compare as such, everything else as text. Throws CmdletError for a value that is no such thing. */
function order(left: unknown, right: string): number {
  if (typeof left === 'number' || left instanceof Quantity || left instanceof Date) {
    const value = right.trim() === '' ? undefined : numberLike(left, right);
    if (value === undefined) {
      const kind = left instanceof Date ? 'date such as 1/31/2026 18:00' : 'number or size such as 10MB';
      throw badArgument('Filter', `'${right}' is no ${kind}, and is compared with one.`);
    }
    const own = left instanceof Date ? left.getTime() : left instanceof Quantity ? left.value : left;
    return own === value ? 0 : own - value;
  }
  return folded(left) < folded(right) ? -1 : folded(left) > folded(right) ? 1 : 0;
}

const like: Compare = (left, pattern) => wildcardTest(pattern)(folded(left));

/** `$null`, `$true`, `$false` and words that mean them. */
function equal(left: unknown, right: string): boolean {
  if (/^\$null$/i.test(right)) return left === null || left === undefined || left === '';
  if (typeof left === 'boolean') return folded(left) === folded(right).replace(/^\$/, '');
  return order(left, right) === 0;
}

const operators: Readonly<Record<string, Compare>> = {
  '-eq': equal,
  '-ne': (left, right) => !equal(left, right),
  '-gt': (left, right) => order(left, right) > 0,
  '-ge': (left, right) => order(left, right) >= 0,
  '-lt': (left, right) => order(left, right) < 0,
  '-le': (left, right) => order(left, right) <= 0,
  '-like': like,
  '-notlike': (left, right) => !like(left, right),
  '-contains': (left, right) =>
    Array.isArray(left) ? left.some((one) => equal(one, right)) : like(left, `*${right}*`),
};

/** What queues and messages can be; a filter for anything else finds nothing and is a slip. */
const statuses = 'Active Connecting Locked PendingRemove PendingSuspend Ready Retry Suspended None'.split(' ');

function checkStatus(value: string): void {
  if (statuses.some((status) => status.toLowerCase() === value.toLowerCase()) || value.startsWith('$')) return;
  throw badArgument(
    'Filter',
    `'${value}' is no status.${nearestNameHint(value, statuses)} There are ${statuses.join(', ')}.`,
  );
}

/** Reads a filter over these properties. Throws CmdletError that says what would be right. */
export function parseOpath(text: string, properties: readonly string[]): Predicate {
  const reader = new OpathReader(tokenize(text.trim().replace(/^\{([\s\S]*)\}$/, '$1')), properties);
  return reader.read();
}

class OpathReader {
  readonly #tokens: readonly Token[];
  readonly #properties: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], properties: readonly string[]) {
    this.#tokens = tokens;
    this.#properties = properties;
  }

  read(): Predicate {
    const predicate = this.#either();
    if (this.#at < this.#tokens.length) throw this.#fault('-and, -or or the end');
    return predicate;
  }

  #either(): Predicate {
    const parts = [this.#both()];
    while (this.#takes('-or')) parts.push(this.#both());
    return (object) => parts.some((part) => part(object));
  }

  #both(): Predicate {
    const parts = [this.#one()];
    while (this.#takes('-and')) parts.push(this.#one());
    return (object) => parts.every((part) => part(object));
  }

  #one(): Predicate {
    if (++this.#depth > maxDepth) throw badArgument('Filter', `It is nested deeper than ${maxDepth}.`);
    const predicate = this.#takes('-not') ? this.#negation() : this.#takesOpen() ? this.#group() : this.#comparison();
    this.#depth -= 1;
    return predicate;
  }

  #negation(): Predicate {
    const inner = this.#one();
    return (object) => !inner(object);
  }

  #group(): Predicate {
    const inner = this.#either();
    if (this.#tokens[this.#at]?.kind !== ')') throw this.#fault("')'");
    this.#at += 1;
    return inner;
  }

  #comparison(): Predicate {
    const property = this.#property();
    const operator = this.#tokens[this.#at]?.value ?? '';
    const compare = operators[operator];
    if (compare === undefined) throw this.#fault(`one of ${Object.keys(operators).join(' ')}`);
    this.#at += 1;
    const value = this.#tokens[this.#at];
    if (value === undefined || (value.kind !== 'text' && value.kind !== 'word')) throw this.#fault('a value');
    this.#at += 1;
    if (property === 'Status' && /^-(?:eq|ne)$/.test(operator)) checkStatus(value.value);
    return (object) => compare(object.get(property), value.value);
  }

  #property(): string {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word') throw this.#fault('the name of a property');
    const name = this.#properties.find((known) => known.toLowerCase() === token.value.toLowerCase());
    if (name === undefined) {
      const near = nearestNameHint(token.value, this.#properties);
      throw badArgument(
        'Filter',
        `There is no property '${token.value}'.${near} Known are ${this.#properties.join(', ')}.`,
      );
    }
    this.#at += 1;
    return name;
  }

  #takes(operator: string): boolean {
    const found = this.#tokens[this.#at]?.kind === 'operator' && this.#tokens[this.#at]?.value === operator;
    if (found) this.#at += 1;
    return found;
  }

  #takesOpen(): boolean {
    const found = this.#tokens[this.#at]?.kind === '(';
    if (found) this.#at += 1;
    return found;
  }

  #fault(wanted: string): Error {
    const token = this.#tokens[this.#at];
    return badArgument(
      'Filter',
      token === undefined ? `It ends where ${wanted} belongs.` : `Where '${token.value}' stands, ${wanted} belongs.`,
    );
  }
}
