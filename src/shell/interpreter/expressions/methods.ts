import { nearestNameHint } from '../../../base/index.ts';
import { StructuredValue } from '../../../config/values/index.ts';
import { compare, equals } from '../../values/compare.ts';
import { convertTo } from '../../values/convert.ts';
import { sameKind, toLocal, UtcDate } from '../../values/date-kind.ts';
import { formatDate } from '../../values/dates.ts';
import { dictionaryEntry } from '../../values/dictionary-entry.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { isTimeSpan, Quantity } from '../../values/quantity.ts';
import { TypeValue } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { ShellList } from '../../values/shell-list.ts';
import { toText } from '../../values/text.ts';
import { typeNameOf } from '../../values/types.ts';
import { Budget } from '../state/budget.ts';
import { findEncoding } from '../state/encodings.ts';
import { add, numberOf, subtract } from './arithmetic.ts';
import { formatValue } from './format-string.ts';

type Methods<T> = Readonly<Record<string, (self: T, args: readonly unknown[]) => unknown>>;

const text = (args: readonly unknown[], place = 0): string => toText(args[place]);
const integer = (args: readonly unknown[], place = 0): number => Math.trunc(numberOf(args[place]));

/** Characters that Trim(…) and Split(…) take: of one text or several. */
function characters(args: readonly unknown[]): Set<string> {
  return new Set(args.flat().map(toText).join(''));
}

function trimmed(self: string, args: readonly unknown[], ends: { start: boolean; end: boolean }): string {
  if (args.length === 0) return ends.start && ends.end ? self.trim() : ends.start ? self.trimStart() : self.trimEnd();
  const set = characters(args);
  let [start, end] = [0, self.length];
  while (ends.start && start < end && set.has(self.charAt(start))) start += 1;
  while (ends.end && end > start && set.has(self.charAt(end - 1))) end -= 1;
  return self.slice(start, end);
}

function splitAt(self: string, args: readonly unknown[]): string[] {
  const set = characters(args.length === 0 ? [' \t\r\n'] : args.slice(0, 1));
  const parts: string[] = [''];
  for (const char of self) {
    if (set.has(char)) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return args.slice(1).some((option) => /RemoveEmptyEntries/i.test(toText(option)))
    ? parts.filter((part) => part !== '')
    : parts;
}

/** A text and what is looked for in it, without case when the last argument is such a StringComparison. */
function compared(self: string, args: readonly unknown[]): [self: string, wanted: string] {
  const ignoresCase = args.length > 1 && /IgnoreCase$/i.test(toText(args.at(-1)));
  return ignoresCase ? [self.toLowerCase(), text(args).toLowerCase()] : [self, text(args)];
}

function searched(find: (self: string, wanted: string) => unknown) {
  return (self: string, args: readonly unknown[]): unknown => find(...compared(self, args));
}

function outOfRange(): never {
  throw new ShellError('Index and length must refer to a location within the string.', {
    id: 'ArgumentOutOfRangeException',
    category: 'NotSpecified',
    exception: 'MethodInvocationException',
  });
}

function substring(self: string, args: readonly unknown[]): string {
  const start = integer(args);
  const length = args.length > 1 ? integer(args, 1) : self.length - start;
  if (start < 0 || length < 0 || start + length > self.length) outOfRange();
  return self.slice(start, start + length);
}

const ofText: Methods<string> = {
  Contains: (self, args) => self.includes(text(args)),
  EndsWith: searched((self, wanted) => self.endsWith(wanted)),
  Equals: searched((self, wanted) => self === wanted),
  IndexOf: searched((self, wanted) => self.indexOf(wanted)),
  Insert: (self, args) => self.slice(0, integer(args)) + text(args, 1) + self.slice(integer(args)),
  LastIndexOf: (self, args) => self.lastIndexOf(text(args)),
  PadLeft: (self, args) => self.padStart(Budget.size(integer(args)), text(args, 1) || ' '),
  PadRight: (self, args) => self.padEnd(Budget.size(integer(args)), text(args, 1) || ' '),
  Remove: (self, args) =>
    self.slice(0, integer(args)) + (args.length > 1 ? self.slice(integer(args) + integer(args, 1)) : ''),
  // Not replaceAll: that makes a rope of as many pieces as there are matches.
  Replace: (self, args) => (text(args) === '' ? self : self.split(text(args)).join(text(args, 1))),
  Split: splitAt,
  StartsWith: searched((self, wanted) => self.startsWith(wanted)),
  Substring: substring,
  ToCharArray: (self) => [...self],
  ToLower: (self) => self.toLowerCase(),
  ToUpper: (self) => self.toUpperCase(),
  Trim: (self, args) => trimmed(self, args, { start: true, end: true }),
  TrimEnd: (self, args) => trimmed(self, args, { start: false, end: true }),
  TrimStart: (self, args) => trimmed(self, args, { start: true, end: false }),
};

const after = (unitMs: number) => (self: Date, args: readonly unknown[]) =>
  sameKind(self, self.getTime() + numberOf(args[0]) * unitMs);

const ofDate: Methods<Date> = {
  AddDays: after(86_400_000),
  AddHours: after(3_600_000),
  AddMinutes: after(60_000),
  AddSeconds: after(1000),
  AddMonths: (self, args) => addMonths(self, integer(args)),
  AddYears: (self, args) => addMonths(self, 12 * integer(args)),
  Add: (self, args) => add(self, args[0]),
  Subtract: (self, args) => subtract(self, args[0]),
  ToLocalTime: toLocal,
  ToUniversalTime: (self) => new UtcDate(self.getTime()),
  ToShortDateString: (self) => formatDate(self, 'd'),
  ToLongDateString: (self) => formatDate(self, 'D'),
  ToShortTimeString: (self) => formatDate(self, 't'),
  ToString: (self, args) => formatDate(self, args.length === 0 ? 'G' : text(args)),
};

/** The same day of another month, or its last day when it is shorter. */
function addMonths(self: Date, months: number): Date {
  const date = sameKind(self, self.getTime());
  date.setMonth(self.getMonth() + months);
  if (date.getDate() !== self.getDate()) date.setDate(0);
  return date;
}

const ofTimeSpan: Methods<Quantity> = {
  Add: (self, args) => add(self, args[0]),
  Subtract: (self, args) => subtract(self, args[0]),
  Negate: (self) => subtract(convertTo('timespan', '00:00:00'), self),
};

const inUnit = (unit: number) => (self: Quantity) => Math.floor(self.value / unit);

const ofSize: Methods<Quantity> = {
  ToBytes: (self) => self.value,
  ToKB: inUnit(1024),
  ToMB: inUnit(1024 ** 2),
  ToGB: inUnit(1024 ** 3),
  ToTB: inUnit(1024 ** 4),
};

const ofTable: Methods<Hashtable> = {
  Add: (self, args) => {
    if (!self.has(args[0])) return self.set(args[0], args[1]);
    throw new ShellError(
      `Item has already been added. Key in dictionary: '${text(args)}'  Key being added: '${text(args)}'`,
      {
        id: 'ArgumentException',
        category: 'NotSpecified',
        exception: 'MethodInvocationException',
      },
    );
  },
  Clear: (self) => self.clear(),
  Contains: (self, args) => self.has(args[0]),
  ContainsKey: (self, args) => self.has(args[0]),
  ContainsValue: (self, args) => self.values().some((value) => equals(value, args[0])),
  GetEnumerator: (self) => self.entries().map(dictionaryEntry),
  Remove: (self, args) => self.delete(args[0]),
};

const fixedSize = (): never => {
  throw new ShellError('Collection was of a fixed size: use += to add a value, and Where-Object to leave some out.', {
    id: 'NotSupportedException',
    category: 'NotSpecified',
    exception: 'MethodInvocationException',
  });
};

const ofList: Methods<readonly unknown[]> = {
  Add: fixedSize,
  Remove: fixedSize,
  Contains: (self, args) => self.some((item) => equals(item, args[0])),
  IndexOf: (self, args) => self.findIndex((item) => equals(item, args[0])),
};

const ofGrowingList: Methods<ShellList> = {
  Add: (self, args) => self.push(args[0]) - 1,
  AddRange: (self, args) => void self.push(...args.flat()),
  Clear: (self) => void self.splice(0),
  Insert: (self, args) => void self.splice(integer(args), 0, args[1]),
  Remove: (self, args) => {
    const found = self.findIndex((item) => equals(item, args[0], true));
    if (found >= 0) self.splice(found, 1);
  },
  RemoveAt: (self, args) => void self.splice(integer(args), 1),
  ToArray: (self) => [...self],
};

const ofAny: Methods<unknown> = {
  CompareTo: (self, args) => compare(self, args[0]) ?? 0,
  Equals: (self, args) => typeNameOf(self) === typeNameOf(args[0]) && equals(self, args[0], true),
  GetType: (self) => new TypeValue(typeNameOf(self)),
  ToString: (self, args) => (args.length === 0 ? toText(self) : formatValue(self, text(args))),
};

function encodingMethod(self: TypeValue, name: string, args: readonly unknown[]): unknown {
  const encoding = findEncoding(self.name.replace('System.Text.Encoding::', ''));
  if (encoding === undefined) return undefined;
  if (name === 'getbytes') return encoding.encode(text(args));
  if (name !== 'getstring') return undefined;
  const bytes = convertTo('byte[]', args[0]);
  return bytes instanceof Uint8Array ? encoding.decode(bytes) : '';
}

/** The tables for a value, its own first. Methods of a row take values of that row's kind only. */
function tablesFor(value: unknown): readonly Methods<never>[] {
  const tables: Methods<never>[] = [];
  if (typeof value === 'string' || value instanceof StructuredValue) tables.push(ofText);
  if (value instanceof Date) tables.push(ofDate);
  if (isTimeSpan(value)) tables.push(ofTimeSpan);
  else if (value instanceof Quantity) tables.push(ofSize);
  if (value instanceof Hashtable) tables.push(ofTable);
  if (value instanceof ShellList) tables.push(ofGrowingList);
  if (Array.isArray(value)) tables.push(ofList);
  return [...tables, ofAny];
}

/** `$x.Method(…)`. On a list without that method, each item's is called. Throws ShellError. */
export function callMethod(value: unknown, name: string, args: readonly unknown[]): unknown {
  if (value === null || value === undefined) {
    throw new ShellError('You cannot call a method on a null-valued expression.', {
      id: 'InvokeMethodOnNull',
      category: 'InvalidOperation',
    });
  }
  const folded = name.toLowerCase();
  const encoded = value instanceof TypeValue ? encodingMethod(value, folded, args) : undefined;
  if (encoded !== undefined) return encoded;
  const tables = tablesFor(value);
  for (const table of tables) {
    const found = Object.entries(table).find(([own]) => own.toLowerCase() === folded);
    // What prints as a text has the methods of one, beside its own members.
    const isText = table === ofText && value instanceof StructuredValue;
    if (found !== undefined) return invoke(found, isText ? value.toString() : value, args);
  }
  if (Array.isArray(value) && value.length > 0) return value.map((item) => callMethod(item, name, args));
  const known = tables.flatMap((table) => Object.keys(table));
  throw new ShellError(
    `Method invocation failed because [${typeNameOf(value)}] does not contain a method named '${name}'.${nearestNameHint(name, known)}`,
    { id: 'MethodNotFound', category: 'InvalidOperation', target: name },
  );
}

function invoke(
  [name, method]: readonly [string, Methods<never>[string]],
  value: unknown,
  args: readonly unknown[],
): unknown {
  try {
    return method(value as never, args);
  } catch (error) {
    if (!(error instanceof ShellError) || error.details.exception !== 'MethodInvocationException') throw error;
    const message = `Exception calling "${name}" with "${args.length}" argument(s): "${error.message}"`;
    throw new ShellError(message, error.details);
  }
}

/** Names of a value's methods, for Get-Member. */
export function methodNames(value: unknown): string[] {
  return tablesFor(value).flatMap((table) => Object.keys(table));
}
