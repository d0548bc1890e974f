import { parseByteSize, parseTimeSpan } from '../../base/index.ts';
import { numberFromText } from '../language/number.ts';
import { toBoolean } from './convert.ts';
import { parseLike } from './date-kind.ts';
import { isTimeSpan, Quantity } from './quantity.ts';
import { toText } from './text.ts';

/** A quantity's plain number from what it is compared with; undefined when that is no such quantity. */
function plainNumber(like: Quantity, value: unknown): number | undefined {
  if (value instanceof Quantity) return value.value;
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  if (/^\s*unlimited\s*$/i.test(value)) return Infinity;
  try {
    return isTimeSpan(like) ? parseTimeSpan(value) : parseByteSize(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Quantity) return value.value;
  if (value === null || value === undefined) return 0;
  return typeof value === 'string' ? (value.trim() === '' ? 0 : numberFromText(value)) : undefined;
}

function sign(difference: number): number {
  return Number.isNaN(difference) ? 0 : Math.sign(difference);
}

function compareText(left: string, right: string, caseSensitive: boolean): number {
  const [a, b] = caseSensitive ? [left, right] : [left.toLowerCase(), right.toLowerCase()];
  if (a === b) return 0;
  // The runtime keeps the rules of this language once made; making them takes 10 ms, which no start should pay.
  return a.localeCompare(b, 'en-US') || (a < b ? -1 : 1);
}

/**
 * Order of two values, the right one converted to the left one's kind as PowerShell does: below, above or 0; undefined
 * when the right one cannot be read as such.
 */
export function compare(left: unknown, right: unknown, caseSensitive = false): number | undefined {
  if (left === null || left === undefined) return right === null || right === undefined ? 0 : -1;
  if (typeof left === 'boolean') return Number(left) - Number(toBoolean(right));
  if (right === null || right === undefined) return 1;
  if (typeof left === 'number') return difference(left, asNumber(right));
  if (left instanceof Quantity) return difference(left.value, plainNumber(left, right));
  if (left instanceof Date) {
    const date = right instanceof Date ? right : parseLike(left, toText(right));
    return difference(left.getTime(), date?.getTime());
  }
  return compareText(toText(left), toText(right), caseSensitive);
}

function difference(left: number, right: number | undefined): number | undefined {
  if (right === undefined) return undefined;
  return left === right ? 0 : sign(left - right);
}

/** What `-eq` asks of two single values. */
export function equals(left: unknown, right: unknown, caseSensitive = false): boolean {
  if (left === null || left === undefined) return right === null || right === undefined;
  if (right === null || right === undefined) return false;
  return compare(left, right, caseSensitive) === 0;
}
