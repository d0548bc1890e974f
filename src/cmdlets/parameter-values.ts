/** Reads what a line bound to parameters. */
import { parseDate } from '../base/index.ts';
import { Quantity, StructuredValue } from '../config/index.ts';
import { type BoundParameters, CmdletError, type PropertyReader } from './runtime.ts';

/** Whether a value is an object of the pipeline. */
export function isObject(value: unknown): value is PropertyReader {
  return typeof value === 'object' && value !== null && 'typeName' in value && 'get' in value && 'has' in value;
}

/** A refusal about a parameter. */
export function badArgument(parameter: string, message: string, cause?: unknown): CmdletError {
  const text = `Cannot process argument transformation on parameter '${parameter}'. ${message}`;
  return new CmdletError('ParameterArgumentTransformationError', 'InvalidData', text, { target: parameter, cause });
}

/** A refusal of a line that leaves out a parameter which only some other one makes needless. */
export function missingArgument(parameter: string, message: string): CmdletError {
  const text = `Cannot process command because of a missing mandatory parameter: '${parameter}'. ${message}`;
  return new CmdletError('MissingMandatoryParameter', 'InvalidArgument', text, { target: parameter });
}

/** True for `-Name` and `-Name:$true`. */
export function isOn(bound: BoundParameters, name: string): boolean {
  const value = bound.get(name);
  return value === true || value === 1 || (typeof value === 'string' && /^\$?true$/i.test(value));
}

/** `$true`/`$false` of a Boolean parameter; the default when it is not there. */
export function yesNoOf(bound: BoundParameters, name: string, otherwise: boolean): boolean {
  return bound.has(name) ? isOn(bound, name) : otherwise;
}

/** A value for a row of that type: where an object of another table is named, the object itself may stand for its name. */
export function nameGiven(type: string, value: unknown): unknown {
  return type.endsWith('IdParameter') && isObject(value) ? nameOfObject(value) : value;
}

/** The text of a parameter; undefined when it is not there or null. */
export function textOf(bound: BoundParameters, name: string): string | undefined {
  const value = bound.get(name);
  if (value === undefined || value === null) return undefined;
  return isObject(value) ? nameOfObject(value) : plainText(value);
}

/** The texts of a list parameter; a single value is a list of one. */
export function textsOf(bound: BoundParameters, name: string): readonly string[] {
  const value = bound.get(name);
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((one: unknown) =>
    isObject(one) ? nameOfObject(one) : plainText(one),
  );
}

/** A date parameter, as a Date or as text. Throws CmdletError. */
export function dateOf(bound: BoundParameters, name: string): Date | undefined {
  const value = bound.get(name);
  if (value === undefined || value === null) return undefined;
  const date = value instanceof Date ? value : parseDate(plainText(value));
  if (date === undefined || Number.isNaN(date.getTime()))
    throw badArgument(name, `'${plainText(value)}' is not a date such as 2026-01-31 18:00.`);
  return date;
}

/** `-ResultSize`: Infinity for Unlimited. Throws CmdletError. */
export function resultSizeOf(bound: BoundParameters): number {
  const text = textOf(bound, 'ResultSize') ?? '1000';
  if (/^unlimited$/i.test(text)) return Infinity;
  if (!/^\d+$/.test(text)) throw badArgument('ResultSize', `'${text}' is neither a number nor Unlimited.`);
  return Number(text);
}

/** What an identity parameter names: text, or an object of the pipeline by its DN or identity. */
export function identityOf(bound: BoundParameters, name = 'Identity'): string | undefined {
  return textOf(bound, name)?.trim();
}

function nameOfObject(object: PropertyReader): string {
  for (const property of ['DistinguishedName', 'Identity', 'Guid', 'Name']) {
    const value = object.get(property);
    if (value !== null && value !== undefined && value !== '') return plainText(value);
  }
  return object.typeName;
}

/** Any value as one text; '' for nothing. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainText).join(',');
  if (isObject(value)) return nameOfObject(value);
  const hasText = value instanceof Quantity || value instanceof StructuredValue;
  return hasText ? value.toString() : JSON.stringify(value);
}

/** A refusal for what is known and not built. */
export function notImplemented(what: string): CmdletError {
  return new CmdletError(
    'NotImplementedYet',
    'NotImplemented',
    `${what} is not implemented yet. Nothing was changed.`,
    {
      target: what.replace(/^The parameter /, ''),
    },
  );
}
