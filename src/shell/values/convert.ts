import { parseByteSize, parseIp, parseTimeSpan } from '../../base/index.ts';
import { numberFromText } from '../language/number.ts';
import { parseWithKind } from './date-kind.ts';
import { Hashtable } from './hashtable.ts';
import { isTimeSpan, Quantity, timeSpan } from './quantity.ts';
import { ScriptBlock } from './script-block.ts';
import { ShellError } from './shell-error.ts';
import { ShellList } from './shell-list.ts';
import { customObject, ShellObject } from './shell-object.ts';
import { toText } from './text.ts';
import { typeNameOf } from './types.ts';

/** One type that values can be turned into. `convert` throws RangeError with what is wrong. */
interface Target {
  /** Full name, as messages show it. */
  readonly name: string;
  readonly convert: (value: unknown) => unknown;
}

/** PowerShell's truth: null, zero, empty text and empty lists are false, a list of one is its item. */
export function toBoolean(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 1 || (value.length === 1 && toBoolean(value[0]));
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== '';
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Quantity) return value.value;
  if (typeof value !== 'string') throw new RangeError(`Cannot convert a ${typeNameOf(value)} to a number.`);
  const number = value.trim() === '' ? 0 : numberFromText(value);
  if (number === undefined) throw new RangeError('Input string was not in a correct format.');
  return number;
}

function spoken(name: string): string {
  if (name === 'System.Byte') return 'an unsigned byte';
  return name.replace('System.', name.startsWith('System.U') ? 'a ' : 'an ');
}

/** Rounds half to even, as .NET converts. */
function integer(min: number, max: number, name: string): Target {
  return {
    name,
    convert(value) {
      const number = toNumber(value);
      const floor = Math.floor(number);
      const half = number - floor === 0.5;
      const rounded = half ? (floor % 2 === 0 ? floor : floor + 1) : Math.round(number);
      if (rounded >= min && rounded <= max) return rounded;
      throw new RangeError(`Value was either too large or too small for ${spoken(name)}.`);
    },
  };
}

function toDate(value: unknown): Date {
  if (value instanceof Date) return value;
  const date = typeof value === 'string' ? parseWithKind(value) : undefined;
  if (date === undefined) {
    throw new RangeError(
      "The string was not recognized as a valid DateTime; write '2026-02-28 17:05' or '2/28/2026 5:05 PM'.",
    );
  }
  return date;
}

function toTimeSpan(value: unknown): Quantity {
  if (isTimeSpan(value)) return value;
  // As in .NET, a bare number counts ticks of 100 nanoseconds; text of digits alone counts days.
  return typeof value === 'number' ? timeSpan(value / 1e7) : timeSpan(parseTimeSpan(toText(value)));
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const items = Array.isArray(value) ? value.flat() : [value];
  return Uint8Array.from(items, (item) => Number(convertWith(byte, item)));
}

const byte = integer(0, 255, 'System.Byte');
const int32 = integer(-(2 ** 31), 2 ** 31 - 1, 'System.Int32');
const double: Target = { name: 'System.Double', convert: toNumber };
const text: Target = { name: 'System.String', convert: toText };
const object: Target = { name: 'System.Object', convert: (value) => value };

function toGuid(value: unknown): string {
  const match = /^[{(]?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[)}]?$/i.exec(toText(value).trim());
  if (match?.[1] === undefined)
    throw new RangeError('Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).');
  return match[1].toLowerCase();
}

function toIpAddress(value: unknown): string {
  const address = toText(value).trim();
  try {
    parseIp(address);
  } catch (cause) {
    throw new RangeError('An invalid IP address was specified.', { cause });
  }
  return address;
}

function toCustomObject(value: unknown): unknown {
  if (!(value instanceof Hashtable)) return value;
  return new ShellObject(
    customObject,
    value.entries().map(([key, item]) => [toText(key), item] as const),
  );
}

function only<T>(kind: abstract new (...args: never[]) => T, name: string): Target {
  return {
    name,
    convert(value) {
      if (value === null || value instanceof kind) return value;
      throw new RangeError(`A value of type ${typeNameOf(value)} is not one.`);
    },
  };
}

function byteSize(value: unknown): Quantity {
  if (value instanceof Quantity && value.typeName === 'ByteQuantifiedSize') return value;
  return Quantity.bytes(typeof value === 'number' ? value : parseByteSize(toText(value)));
}

const arrayList: Target = {
  name: 'System.Collections.ArrayList',
  convert: (value): ShellList =>
    value instanceof ShellList
      ? value
      : Object.assign(new ShellList(), Array.isArray(value) ? value : value === null ? [] : [value]),
};
const hashtable = only(Hashtable, 'System.Collections.Hashtable');

/** Types by their names in brackets, in lower case, without `System.`. */
const targets: ReadonlyMap<string, Target> = new Map(
  Object.entries({
    string: text,
    char: {
      name: 'System.Char',
      convert: (value) => (typeof value === 'number' ? String.fromCharCode(value) : toText(value)),
    },
    int: int32,
    int32,
    int16: integer(-32768, 32767, 'System.Int16'),
    uint16: integer(0, 65535, 'System.UInt16'),
    uint32: integer(0, 2 ** 32 - 1, 'System.UInt32'),
    long: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'System.Int64'),
    int64: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'System.Int64'),
    uint64: integer(0, Number.MAX_SAFE_INTEGER, 'System.UInt64'),
    byte,
    double,
    single: double,
    float: double,
    decimal: double,
    bool: { name: 'System.Boolean', convert: toBoolean },
    boolean: { name: 'System.Boolean', convert: toBoolean },
    switch: { name: 'System.Management.Automation.SwitchParameter', convert: toBoolean },
    datetime: { name: 'System.DateTime', convert: toDate },
    timespan: { name: 'System.TimeSpan', convert: toTimeSpan },
    'microsoft.exchange.data.enhancedtimespan': {
      name: 'Microsoft.Exchange.Data.EnhancedTimeSpan',
      convert: toTimeSpan,
    },
    'microsoft.exchange.data.bytequantifiedsize': {
      name: 'Microsoft.Exchange.Data.ByteQuantifiedSize',
      convert: byteSize,
    },
    'byte[]': { name: 'System.Byte[]', convert: toBytes },
    guid: { name: 'System.Guid', convert: toGuid },
    ipaddress: { name: 'System.Net.IPAddress', convert: toIpAddress },
    'net.ipaddress': { name: 'System.Net.IPAddress', convert: toIpAddress },
    hashtable,
    'collections.hashtable': hashtable,
    ordered: hashtable,
    scriptblock: only(ScriptBlock, 'System.Management.Automation.ScriptBlock'),
    pscustomobject: { name: 'System.Management.Automation.PSCustomObject', convert: toCustomObject },
    psobject: { name: 'System.Management.Automation.PSObject', convert: toCustomObject },
    object,
    array: { name: 'System.Array', convert: (value) => (Array.isArray(value) ? (value as unknown[]) : [value]) },
    'collections.arraylist': arrayList,
    void: { name: 'System.Void', convert: () => undefined },
  } satisfies Record<string, Target>),
);

/** The type of a name in brackets: `int`, `System.Byte[]`. undefined for types outside the language. */
export function findType(name: string): Target | undefined {
  const folded = name.toLowerCase().replace(/^system\./, '');
  const found = /^collections\.generic\.list\[/.test(folded) ? arrayList : targets.get(folded);
  if (found !== undefined || !folded.endsWith('[]')) return found;
  const item = targets.get(folded.slice(0, -2));
  if (item === undefined) return undefined;
  return {
    name: `${item.name}[]`,
    convert: (value) => {
      if (value === null) return null;
      if (value instanceof Uint8Array) return [...value].map((one) => convertWith(item, one));
      return Array.isArray(value) ? value.map((one) => convertWith(item, one)) : [convertWith(item, value)];
    },
  };
}

/** Converts as `[type]value` does. Throws ShellError for types that are not known and values that do not fit. */
export function convertTo(typeName: string, value: unknown): unknown {
  const target = findType(typeName);
  if (target === undefined) {
    throw new ShellError(`Unable to find type [${typeName}]: it is outside the language of this shell.`, {
      id: 'TypeNotFound',
      category: 'InvalidOperation',
      target: typeName,
    });
  }
  return convertWith(target, value);
}

function convertWith(target: Target, value: unknown): unknown {
  try {
    return target.convert(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ShellError(
      `Cannot convert value "${toText(value)}" to type "${target.name}". Error: "${cause.message}"`,
      {
        id: castErrorId(value, target.name),
        category: 'InvalidArgument',
        exception: 'RuntimeException',
        cause,
      },
    );
  }
}

function castErrorId(value: unknown, target: string): string {
  if (typeof value !== 'string')
    return typeof value === 'number' ? 'InvalidCastIConvertible' : 'InvalidCastConstructorException';
  return /Int|Byte|Double/.test(target) ? 'InvalidCastFromStringToInteger' : 'InvalidCastParseTargetInvocation';
}

/** What `-is` asks. */
export function isOfType(value: unknown, typeName: string): boolean {
  const asked = (findType(typeName)?.name ?? typeName).toLowerCase();
  const own = typeNameOf(value).toLowerCase();
  if (asked === 'system.object') return value !== null && value !== undefined;
  if (asked === 'system.array') return Array.isArray(value);
  return (
    own === asked ||
    own.endsWith(`.${asked}`) ||
    (asked === 'system.management.automation.psobject' && value instanceof ShellObject)
  );
}
