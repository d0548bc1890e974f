import { nearestNameHint, newGuid } from '../../../base/index.ts';
import { convertTo, findType } from '../../values/convert.ts';
import { kinds, parseWithKind, UtcDate, withKind } from '../../values/date-kind.ts';
import { parseExact } from '../../values/dates.ts';
import { timeSpan } from '../../values/quantity.ts';
import { TypeValue } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { typeNameOf } from '../../values/types.ts';
import type { Context } from '../state/context.ts';
import { encodings } from '../state/encodings.ts';
import { numberOf } from './arithmetic.ts';
import { formatString } from './format-string.ts';
import { newObject } from './new-object.ts';
import { regularExpression } from './regular-expressions.ts';

type Method = (args: readonly unknown[], context: Context) => unknown;
interface StaticType {
  readonly properties?: Readonly<Record<string, (context: Context) => unknown>>;
  readonly methods?: Readonly<Record<string, Method>>;
}

const text = (args: readonly unknown[], place = 0): string => toText(args[place]);
const number = (args: readonly unknown[], place = 0): number => numberOf(args[place]);

function bytes(args: readonly unknown[], place: number): Uint8Array {
  const value = convertTo('byte[]', args[place]);
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function parsedDate(args: readonly unknown[]): Date {
  const date = parseWithKind(text(args));
  if (date !== undefined) return date;
  throw callFailed('Parse', args.length, 'String was not recognized as a valid DateTime.');
}

function exactDate(args: readonly unknown[]): Date {
  const formats = Array.isArray(args[1]) ? args[1].map(toText) : [text(args, 1)];
  const date = formats.map((format) => parseExact(text(args), format)).find((found) => found !== undefined);
  if (date !== undefined) return date;
  throw callFailed('ParseExact', args.length, 'String was not recognized as a valid DateTime.');
}

function specifiedKind(args: readonly unknown[]): Date {
  const [date, kind] = [
    convertTo('datetime', args[0]),
    kinds.find((one) => one.toLowerCase() === text(args, 1).toLowerCase()),
  ];
  if (date instanceof Date && kind !== undefined) return withKind(date, kind);
  throw callFailed('SpecifyKind', args.length, `The kind is one of ${kinds.join(', ')}.`);
}

function callFailed(method: string, count: number, reason: string): ShellError {
  return new ShellError(`Exception calling "${method}" with "${count}" argument(s): "${reason}"`, {
    id: 'MethodInvocationException',
    category: 'NotSpecified',
    exception: 'MethodInvocationException',
  });
}

const span =
  (unit: number): Method =>
  (args) =>
    timeSpan(number(args) * unit);

function round(args: readonly unknown[]): number {
  const factor = 10 ** Math.min(Math.max(number(args, 1), 0), 15);
  const scaled = number(args) * factor;
  const floor = Math.floor(scaled);
  const even = floor % 2 === 0 ? floor : floor + 1;
  return (scaled - floor === 0.5 ? even : Math.round(scaled)) / factor;
}

const encodingType: StaticType = {
  properties: Object.fromEntries(
    Object.keys(encodings).map((name) => [name, () => new TypeValue(`System.Text.Encoding::${name}`)]),
  ),
};

/** What of .NET is within the language: what Exchange's documentation and common scripts call. */
const types: Readonly<Record<string, StaticType>> = {
  'io.file': {
    methods: {
      ReadAllBytes: (args, { session }) => session.files.read(text(args)),
      ReadAllText: async (args, { session }) => encodings.UTF8.decode(await session.files.read(text(args))),
      ReadAllLines: async (args, { session }) =>
        encodings.UTF8.decode(await session.files.read(text(args)))
          .replace(/\r?\n$/, '')
          .split(/\r?\n/),
      AppendAllText: (args, { session }) => session.files.write(text(args), Buffer.from(text(args, 1)), true),
      WriteAllBytes: (args, { session }) => session.files.write(text(args), bytes(args, 1), false),
      WriteAllText: (args, { session }) => session.files.write(text(args), Buffer.from(text(args, 1)), false),
      Exists: (args, { session }) => session.files.exists(text(args)),
    },
  },
  'io.path': {
    methods: {
      Combine: (args) => args.map(toText).join('/'),
      GetFileName: (args) => text(args).replace(/^.*[/\\]/, ''),
      GetExtension: (args) => /\.[^./\\]*$/.exec(text(args))?.[0] ?? '',
    },
  },
  regex: {
    methods: {
      Escape: (args) => text(args).replace(/[\\^$.*+?()[{|#\s]/g, '\\$&'),
      IsMatch: (args) => regularExpression(text(args, 1), true).test(text(args)),
      Replace: (args) => regularExpression(text(args, 1), true, 'g').replace(text(args), text(args, 2)),
      Split: (args) => regularExpression(text(args, 1), true).split(text(args)),
    },
  },
  'text.encoding': encodingType,
  datetime: {
    properties: {
      Now: ({ session }) => new Date(session.now()),
      UtcNow: ({ session }) => new UtcDate(session.now()),
      Today: ({ session }) => new Date(new Date(session.now()).setHours(0, 0, 0, 0)),
    },
    methods: { Parse: parsedDate, ParseExact: exactDate, SpecifyKind: specifiedKind },
  },
  timespan: {
    properties: { Zero: () => timeSpan(0) },
    methods: {
      FromDays: span(86_400),
      FromHours: span(3600),
      FromMinutes: span(60),
      FromSeconds: span(1),
      Parse: (args) => convertTo('timespan', text(args)),
    },
  },
  string: {
    properties: { Empty: () => '' },
    methods: {
      IsNullOrEmpty: (args) => text(args) === '',
      IsNullOrWhiteSpace: (args) => text(args).trim() === '',
      Join: ([separator, ...rest]) => rest.flat().map(toText).join(toText(separator)),
      Format: ([format, ...rest]) => formatString(toText(format), rest.flat()),
    },
  },
  math: {
    properties: { PI: () => Math.PI },
    methods: {
      Round: round,
      Floor: (args) => Math.floor(number(args)),
      Ceiling: (args) => Math.ceil(number(args)),
      Pow: (args) => number(args) ** number(args, 1),
      Sqrt: (args) => Math.sqrt(number(args)),
      Truncate: (args) => Math.trunc(number(args)),
      Abs: (args) => Math.abs(number(args)),
      Max: (args) => Math.max(number(args), number(args, 1)),
      Min: (args) => Math.min(number(args), number(args, 1)),
    },
  },
  guid: { properties: { Empty: () => '00000000-0000-0000-0000-000000000000' }, methods: { NewGuid: () => newGuid() } },
  convert: {
    methods: {
      ToBase64String: (args) => Buffer.from(bytes(args, 0)).toString('base64'),
      FromBase64String: (args) => new Uint8Array(Buffer.from(text(args), 'base64')),
      ToInt32: (args) => convertTo('int', args[0]),
      ToString: (args) => text(args),
      ToBoolean: (args) => convertTo('bool', args[0]),
    },
  },
  int: {
    properties: { MaxValue: () => 2 ** 31 - 1, MinValue: () => -(2 ** 31) },
    methods: { Parse: (args) => convertTo('int', args[0]) },
  },
  environment: {
    properties: {
      NewLine: () => '\n',
      MachineName: ({ session }) => session.environment.get('COMPUTERNAME') ?? '',
    },
  },
  stringsplitoptions: {
    properties: { None: () => 'None', RemoveEmptyEntries: () => 'RemoveEmptyEntries' },
  },
  stringcomparison: {
    properties: Object.fromEntries(
      ['Ordinal', 'OrdinalIgnoreCase', 'CurrentCulture', 'CurrentCultureIgnoreCase', 'InvariantCultureIgnoreCase'].map(
        (name) => [name, () => name],
      ),
    ),
  },
  'net.ipaddress': { methods: { Parse: (args) => convertTo('ipaddress', text(args)) } },
  ipaddress: { methods: { Parse: (args) => convertTo('ipaddress', text(args)) } },
};

function typeOf(value: unknown): { name: string; type: StaticType } {
  if (!(value instanceof TypeValue)) {
    const error = `A static member belongs to a type in brackets, not to a ${typeNameOf(value)}.`;
    throw new ShellError(error, { id: 'StaticMemberOfValue', category: 'InvalidOperation' });
  }
  const { name } = value;
  const folded = name.toLowerCase().replace(/^system\./, '');
  const type = Object.hasOwn(types, folded) ? types[folded] : undefined;
  if (type !== undefined) return { name, type };
  if (findType(name) !== undefined) return { name, type: {} };
  throw new ShellError(
    `Unable to find type [${name}]: it is outside the language of this shell.${nearestNameHint(folded, Object.keys(types))}`,
    {
      id: 'TypeNotFound',
      category: 'InvalidOperation',
      target: name,
    },
  );
}

function find<T>(members: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  const folded = name.toLowerCase();
  return Object.entries(members ?? {}).find(([own]) => own.toLowerCase() === folded)?.[1];
}

function unknownMember(type: string, name: string, known: readonly string[]): ShellError {
  const list = known.length === 0 ? '' : ` Known here: ${known.join(', ')}.`;
  return new ShellError(`[${type}]::${name} is outside the language of this shell.${list}`, {
    id: 'NotSupportedInThisShell',
    category: 'NotImplemented',
    target: name,
  });
}

/** `[type]::Name`. Throws ShellError for what is outside the language. */
export function readStatic(value: unknown, name: string, context: Context): unknown {
  const { name: typeName, type } = typeOf(value);
  const property = find(type.properties, name);
  if (property === undefined) throw unknownMember(typeName, name, Object.keys(type.properties ?? {}));
  return property(context);
}

/** `[type]::Name(…)`. */
export async function callStatic(
  value: unknown,
  name: string,
  args: readonly unknown[],
  context: Context,
): Promise<unknown> {
  if (value instanceof TypeValue && name.toLowerCase() === 'new') return newObject(value.name, args);
  const { name: typeName, type } = typeOf(value);
  const method = find(type.methods, name);
  if (method === undefined) throw unknownMember(typeName, `${name}()`, Object.keys(type.methods ?? {}));
  try {
    return await method(args, context);
  } catch (error) {
    if (error instanceof ShellError || !(error instanceof Error)) throw error;
    throw new ShellError(`Exception calling "${name}" with "${args.length}" argument(s): "${error.message}"`, {
      id: error.name,
      category: 'NotSpecified',
      exception: 'MethodInvocationException',
      cause: error,
    });
  }
}

/** Whether a static member exists, for checks before running. */
export function knowsStatic(typeName: string, member: string, isCall: boolean): boolean {
  const type = types[typeName.toLowerCase().replace(/^system\./, '')];
  return find<unknown>(isCall ? type?.methods : type?.properties, member) !== undefined;
}
