import { dateText, formatDate } from './dates.ts';
import { Hashtable } from './hashtable.ts';
import { Quantity } from './quantity.ts';
import { customObject, ShellObject } from './shell-object.ts';

/** How many values of a list are shown; Exchange's own shell sets `$FormatEnumerationLimit` to 16. */
export const usualEnumerationLimit = 16;

/** A value inside a string, as `"$x"` expands it. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return dateText(value);
  if (Array.isArray(value)) return value.map(toText).join(' ');
  if (value instanceof Uint8Array) return [...value].join(' ');
  if (value instanceof Hashtable) return 'System.Collections.Hashtable';
  if (typeof value === 'object' && value.toString !== Object.prototype.toString) return ownText(value);
  if (value instanceof ShellObject) return objectText(value);
  return typeof value;
}

/** Objects that say themselves what they are: quantities, types, script blocks, error records. */
function ownText(value: { toString(): string }): string {
  return value.toString();
}

function numberText(value: number): string {
  if (value === Infinity) return 'Unlimited';
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString();
  // .NET Framework prints 15 significant digits.
  return String(Number(value.toPrecision(15))).replace('e', 'E');
}

/** `@{a=1; b=2}` for custom objects; what names the object for others. */
function objectText(object: ShellObject): string {
  if (object.typeName === customObject) {
    return `@{${object
      .entries()
      .map(([name, value]) => `${name}=${toText(value)}`)
      .join('; ')}}`;
  }
  const identity = ['Identity', 'Name'].find((name) => object.has(name));
  return identity === undefined ? object.typeName : toText(object.get(identity));
}

/** A value in a cell of a table or list: lists as `{a, b}`, dates as the culture prints them. */
export function toDisplay(value: unknown, limit = usualEnumerationLimit): string {
  if (value instanceof Date) return formatDate(value);
  if (value instanceof Uint8Array) return braced([...value.subarray(0, limit + 1 || undefined)], limit);
  if (value instanceof Hashtable) return braced(value.keys(), limit);
  return Array.isArray(value) ? braced(value, limit) : toText(value);
}

function braced(values: readonly unknown[], limit: number): string {
  const shown = limit < 0 ? values : values.slice(0, limit);
  return `{${shown.map(toText).join(', ')}${values.length > shown.length ? '...' : ''}}`;
}

/** True for values that stand on the right of a column. */
export function isNumeric(value: unknown): boolean {
  return (
    typeof value === 'number' || typeof value === 'bigint' || (value instanceof Quantity && value.typeName === 'Int32')
  );
}
