/** Syntaxes of single values. Directory forms: RFC 4517 Boolean, Integer, Directory String; times are seconds. */
import { parseByteSize, parseTimeSpan } from '../../base/index.ts';
import { Quantity } from '../values/quantity.ts';
import { StructuredValue } from '../values/structured-value.ts';
import type { PackedSyntax, Syntax } from './property.ts';

/** Kept for 'Unlimited' in attributes of integer syntax. */
const unlimitedInDirectory = '-1';

/** Text of a shell value. Throws RangeError for lists and objects. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Quantity || value instanceof StructuredValue) return value.toString();
  if (Array.isArray(value) && value.length === 1) return asText(value[0]);
  if (value === null || value === undefined) throw new RangeError('a value is needed, not $null');
  throw new RangeError('one value is needed, not a list');
}

const isNull = (value: unknown): boolean => value === null || value === undefined || value === '';

function first(values: readonly string[]): string {
  const [value] = values;
  if (value === undefined || values.length > 1) throw new RangeError(`holds ${values.length} values where one belongs`);
  return value;
}

/** `$true` and `$false`; packs into one bit. */
export const yesNo: PackedSyntax<boolean> = {
  type: 'Boolean',
  allowed: ['$true', '$false'],
  parse(value) {
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return value !== 0;
    const text = asText(value).toLowerCase().replace(/^\$/, '');
    if (text !== 'true' && text !== 'false') throw new RangeError(`'${asText(value)}' is neither $true nor $false`);
    return text === 'true';
  },
  read(values) {
    const text = first(values).toUpperCase();
    if (text !== 'TRUE' && text !== 'FALSE') throw new RangeError(`'${text}' is neither TRUE nor FALSE`);
    return text === 'TRUE';
  },
  write: (value) => [value ? 'TRUE' : 'FALSE'],
  show: (value) => value,
  toBits: Number,
  fromBits: (bits) => bits !== 0,
};

/** `$true`, `$false` or `$null`; two bits: 0 null, 1 false, 2 true. */
export const maybe: PackedSyntax<boolean | null> = {
  type: 'Boolean',
  allowed: ['$true', '$false', '$null'],
  parse: (value) => (isNull(value) || value === '$null' ? null : yesNo.parse(value)),
  read: (values) => yesNo.read(values),
  write: (value) => (value === null ? [] : yesNo.write(value)),
  show: (value) => value,
  toBits: (value) => (value === null ? 0 : value ? 2 : 1),
  fromBits: (bits) => (bits === 0 ? null : bits === 2),
};

function checkRange(value: number, min: number, max: number, print: (value: number) => string): number {
  if (value >= min && value <= max) return value;
  throw new RangeError(`${print(value)} is outside the range from ${print(min)} to ${print(max)}`);
}

function readInteger(values: readonly string[]): number {
  const text = first(values);
  if (!/^-?\d{1,16}$/.test(text)) throw new RangeError(`'${text.slice(0, 40)}' is not an integer`);
  return Number(text);
}

/** A whole number. */
export function integer(min = 0, max = 2_147_483_647): Syntax<number> {
  const check = (value: number): number => checkRange(value, min, max, String);
  return {
    type: 'Int32',
    min,
    max,
    parse(value) {
      const text = asText(value).replaceAll(',', '');
      if (!/^[+-]?\d{1,16}$/.test(text)) throw new RangeError(`'${text}' is not a whole number from ${min} to ${max}`);
      return check(Number(text));
    },
    read: (values) => check(readInteger(values)),
    write: (value) => [String(value)],
    show: (value) => value,
  };
}

/** A size in bytes: `36MB`, `65536`, `36 MB (37,748,736 bytes)`. */
export function byteSize(min = 1, max = 2_147_483_647): Syntax<number> {
  const check = (value: number): number => checkRange(value, min, max, (bytes) => String(Quantity.bytes(bytes)));
  return {
    type: 'ByteQuantifiedSize',
    min,
    max,
    parse: (value) => check(parseByteSize(asText(value))),
    read: (values) => check(readInteger(values)),
    write: (value) => [String(value)],
    show: (value) => Quantity.bytes(value),
  };
}

/** A span of time in seconds: `00:05:00`, `1.00:00:00`. */
export function timeSpan(min: number, max: number): Syntax<number> {
  const check = (value: number): number => checkRange(value, min, max, (span) => String(Quantity.seconds(span)));
  return {
    type: 'EnhancedTimeSpan',
    min,
    max,
    parse(value) {
      const seconds = value instanceof Quantity ? value.value : parseTimeSpan(asText(value));
      if (!Number.isInteger(seconds)) throw new RangeError(`'${asText(value)}' is not a whole number of seconds`);
      return check(seconds);
    },
    read: (values) => check(readInteger(values)),
    write: (value) => [String(value)],
    show: (value) => Quantity.seconds(value),
  };
}

/** The same, or `Unlimited` (Infinity). */
export function orUnlimited(syntax: Syntax<number>): Syntax<number> {
  return {
    ...syntax,
    type: 'Unlimited',
    parse(value) {
      if (value === Infinity || /^unlimited$/i.test(isNull(value) ? '' : asText(value))) return Infinity;
      try {
        return syntax.parse(value);
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        throw new RangeError(`${cause.message}; Unlimited is allowed too`, { cause });
      }
    },
    read: (values) => (values[0] === unlimitedInDirectory ? Infinity : syntax.read(values)),
    write: (value) => (value === Infinity ? [unlimitedInDirectory] : syntax.write(value)),
    show: (value) => (syntax.type === 'ByteQuantifiedSize' ? Quantity.bytes(value) : Quantity.count(value)),
  };
}

function nearestCase<N extends string>(names: readonly N[], text: string): N {
  const found = names.find((name) => name.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new RangeError(`'${text}' is not one of ${names.join(', ')}`);
  return found;
}

/** One of several names, kept as a number: its place in the list unless `numbers` says otherwise. */
export function oneOf<const N extends string>(
  names: readonly N[],
  numbers?: Readonly<Record<N, number>>,
): PackedSyntax<N> {
  const toBits = (name: N): number => numbers?.[name] ?? names.indexOf(name);
  const fromBits = (bits: number): N => {
    const found = names.find((name) => toBits(name) === bits);
    if (found === undefined) throw new RangeError(`${bits} stands for none of ${names.join(', ')}`);
    return found;
  };
  return {
    type: 'Enumeration',
    allowed: names,
    parse: (value) => nearestCase(names, asText(value)),
    read: (values) => fromBits(readInteger(values)),
    write: (value) => [String(toBits(value))],
    show: (value) => value,
    toBits,
    fromBits,
  };
}

/** One of several names, or nothing. */
export function oneOfOrNull<const N extends string>(
  names: readonly N[],
  numbers?: Readonly<Record<N, number>>,
): PackedSyntax<N | null> {
  const some = oneOf(names, numbers);
  return {
    ...some,
    parse: (value) => (isNull(value) ? null : some.parse(value)),
    write: (value) => (value === null ? [] : some.write(value)),
    toBits: (value) => (value === null ? 0 : some.toBits(value)),
    fromBits: (bits) => (bits === 0 ? null : some.fromBits(bits)),
  };
}

/** Several of some names, in the order of the table; 'None' is the empty list. */
export function flags<N extends string>(numbers: Readonly<Record<N, number>>): PackedSyntax<readonly N[]> {
  const names = Object.keys(numbers) as N[];
  const inOrder = (chosen: readonly N[]): readonly N[] => names.filter((name) => chosen.includes(name));
  const toBits = (value: readonly N[]): number => value.reduce((sum, name) => sum | numbers[name], 0);
  const fromBits = (bits: number): readonly N[] => {
    const found = names.filter((name) => (bits & numbers[name]) !== 0);
    if (toBits(found) !== bits) throw new RangeError(`${bits} has bits that stand for none of ${names.join(', ')}`);
    return found;
  };
  const allowed = ['None', ...names];
  return {
    type: 'Flags',
    allowed,
    parse(value) {
      const texts = (Array.isArray(value) ? value.map(asText) : [asText(value)]).flatMap((text) => text.split(','));
      const chosen = texts.map((text) => nearestCase(['None', ...names], text.trim()));
      if (chosen.includes('None') && chosen.length > 1) throw new RangeError("'None' cannot be combined with others");
      return inOrder(chosen.filter((name): name is N => name !== 'None'));
    },
    read: (values) => fromBits(readInteger(values)),
    write: (value) => [String(toBits(value))],
    show: (value) => (value.length === 0 ? 'None' : value.join(', ')),
    toBits,
    fromBits,
  };
}

/** Text without line breaks, or nothing. `check` throws RangeError for what does not fit. */
export function text(
  type = 'String',
  check: (text: string) => string = String,
  maxLength = 1024,
): Syntax<string | null> {
  const checked = (value: string): string => {
    if (/[\r\n\0]/.test(value)) throw new RangeError('a line break cannot stand in the value');
    if (value.length > maxLength) throw new RangeError(`${value.length} characters are more than ${maxLength}`);
    return check(value);
  };
  return {
    type,
    parse: (value) => (isNull(value) ? null : checked(asText(value))),
    read: (values) => checked(first(values)),
    write: (value) => (value === null ? [] : [value]),
    show: (value) => value,
  };
}

/** As `text`, but never nothing. */
export function requiredText(
  type = 'String',
  check: (text: string) => string = String,
  maxLength = 1024,
): Syntax<string> {
  const some = text(type, check, maxLength);
  const refuseNull = (value: string | null): string => {
    if (value === null) throw new RangeError('a value is needed, not $null or an empty text');
    return value;
  };
  return { ...some, parse: (value) => refuseNull(some.parse(value)), read: (v) => refuseNull(some.read(v)) };
}

interface ListOptions<T> {
  /** Between values in one text; '' takes each text whole. */
  readonly separator?: string;
  /** A value in the shell, where it is more than its text. */
  readonly shown?: (value: T) => string | StructuredValue;
}

/**
 * A list of values, one directory value each. `item` throws RangeError; `print` is shown and stored.
 * One text with commas is several values, unless values hold commas themselves.
 */
export function list<T>(
  item: (text: string) => T,
  print: (value: T) => string,
  { separator = ',', shown = print }: ListOptions<T> = {},
): Syntax<readonly T[]> {
  const unique = (values: readonly T[]): readonly T[] => {
    const seen = new Set<string>();
    return values.filter((value) => !seen.has(print(value).toLowerCase()) && seen.add(print(value).toLowerCase()));
  };
  return {
    type: 'MultiValuedProperty',
    multivalued: true,
    parse(value) {
      if (isNull(value)) return [];
      const texts = Array.isArray(value) ? value.flat().map(asText) : [asText(value)];
      return unique(
        texts.flatMap((one) => (separator === '' ? [one] : one.split(separator))).map((one) => item(one.trim())),
      );
    },
    read: (values) => values.map(item),
    write: (values) => values.map(print),
    show: (values) => values.map(shown),
  };
}
