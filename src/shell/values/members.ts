import { SecureString } from '../../cmdlets/calling/index.ts';
import { StructuredValue } from '../../config/values/index.ts';
import { kindOf, startOfDay } from './date-kind.ts';
import { Hashtable } from './hashtable.ts';
import { isTimeSpan, Quantity, timeSpan } from './quantity.ts';
import { TypeValue } from './script-block.ts';
import { ShellObject } from './shell-object.ts';

const dayMs = 86_400_000;

type Getters<T> = Readonly<Record<string, (value: T) => unknown>>;

const ofDate: Getters<Date> = {
  Year: (date) => date.getFullYear(),
  Month: (date) => date.getMonth() + 1,
  Day: (date) => date.getDate(),
  Hour: (date) => date.getHours(),
  Minute: (date) => date.getMinutes(),
  Second: (date) => date.getSeconds(),
  Millisecond: (date) => date.getMilliseconds(),
  DayOfWeek: (date) => 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')[date.getDay()],
  DayOfYear: (date) =>
    Math.round(
      (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) / dayMs,
    ),
  Kind: kindOf,
  Date: startOfDay,
  TimeOfDay: (date) => timeSpan(date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds()),
};

const ofTimeSpan: Getters<Quantity> = {
  Days: ({ value }) => Math.trunc(value / 86_400),
  Hours: ({ value }) => Math.trunc(value / 3600) % 24,
  Minutes: ({ value }) => Math.trunc(value / 60) % 60,
  Seconds: ({ value }) => Math.trunc(value) % 60,
  Milliseconds: ({ value }) => Math.round((value % 1) * 1000),
  Ticks: ({ value }) => Math.round(value * 1e7),
  TotalDays: ({ value }) => value / 86_400,
  TotalHours: ({ value }) => value / 3600,
  TotalMinutes: ({ value }) => value / 60,
  TotalSeconds: ({ value }) => value,
  TotalMilliseconds: ({ value }) => value * 1000,
};

const ofUnlimited: Getters<Quantity> = {
  IsUnlimited: ({ value }) => value === Infinity,
  Value: (quantity) => (quantity.value === Infinity ? null : quantity),
};

const ofType: Getters<TypeValue> = {
  Name: ({ name }) => name.replace(/^.*[.+]/, ''),
  FullName: ({ name }) => name,
  Namespace: ({ name }) => name.replace(/\.[^.]*$/, ''),
  IsArray: ({ name }) => name.endsWith('[]'),
};
const ofString: Getters<string> = { Length: (text) => text.length };
const ofHashtable: Getters<Hashtable> = {
  Count: (table) => table.size,
  Keys: (table) => table.keys(),
  Values: (table) => table.values(),
};

/** The members of a value that is no object of names and values: a date's Year, a string's Length. */
function builtIn(value: unknown): readonly (readonly [name: string, value: unknown])[] {
  const read = <T>(getters: Getters<T>, of: T): [string, unknown][] =>
    Object.entries(getters).map(([name, getter]) => [name, getter(of)]);
  if (typeof value === 'string') return read(ofString, value);
  if (value instanceof Date) return read(ofDate, value);
  if (value instanceof Hashtable) return read(ofHashtable, value);
  if (value instanceof TypeValue) return read(ofType, value);
  if (value instanceof SecureString) return [['Length', value.length]];
  if (value instanceof StructuredValue) return value.members;
  if (isTimeSpan(value)) return read(ofTimeSpan, value);
  return value instanceof Quantity ? read(ofUnlimited, value) : [];
}

/** Names and values that Select-Object, Get-Member and Format-List see. */
export function propertiesOf(value: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (value instanceof ShellObject) return value.entries();
  if (Array.isArray(value) || value instanceof Uint8Array)
    return [
      ['Count', value.length],
      ['Length', value.length],
    ];
  return builtIn(value);
}

/** A property by name, without regard to case; undefined when there is none of that name. */
export function findProperty(value: unknown, name: string): unknown {
  if (/^psobject$/i.test(name) && value !== null && value !== undefined) return psObject(value);
  if (value instanceof ShellObject) return value.has(name) ? value.get(name) : extra(value, name);
  if (value instanceof Hashtable && value.has(name)) return value.get(name);
  const folded = name.toLowerCase();
  const found = propertiesOf(value).find(([own]) => own.toLowerCase() === folded);
  return found === undefined ? extra(value, folded) : found[1];
}

/** `$x.PSObject.Properties`: names and values of the properties as objects. */
function psObject(value: unknown): ShellObject {
  const properties = propertiesOf(value).map(
    ([name, own]) =>
      new ShellObject('System.Management.Automation.PSProperty', [
        ['Name', name],
        ['Value', own],
        ['MemberType', 'Property'],
      ]),
  );
  return new ShellObject('System.Management.Automation.PSObject', [['Properties', properties]]);
}

/** Every single value counts as a list of one (PowerShell 3.0 and later). */
function extra(value: unknown, name: string): unknown {
  return value !== null && value !== undefined && /^(?:count|length)$/i.test(name) ? 1 : undefined;
}

/**
 * A property as `$x.Name` reads it: of each item when a list has no such property itself (member enumeration). null
 * when there is none.
 */
export function getProperty(value: unknown, name: string): unknown {
  if (value === null || value === undefined) return /^(?:count|length)$/i.test(name) ? 0 : null;
  if (!Array.isArray(value) || /^(?:count|length)$/i.test(name)) return findProperty(value, name) ?? null;
  const found = value.flatMap((item) => findProperty(item, name) ?? []);
  return found.length > 1 ? found : (found[0] ?? null);
}
