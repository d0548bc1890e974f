import { compare, equals } from '../../values/compare.ts';
import { convertTo, isOfType, toBoolean } from '../../values/convert.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { TypeValue } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { typeNameOf } from '../../values/types.ts';
import { wildcard } from '../../values/wildcard.ts';
import type { Context } from '../state/context.ts';
import { add, bitwise, divide, multiply, range, remainder, subtract } from './arithmetic.ts';
import { formatString } from './format-string.ts';
import { type Pattern, regularExpression } from './regular-expressions.ts';

interface Operands {
  readonly left: unknown;
  readonly right: unknown;
  readonly caseSensitive: boolean;
  /** Takes `$Matches`. */
  readonly context?: Context;
}
type Operator = (operands: Operands) => unknown;

/** A comparison of single values; on a list, the items for which it holds. */
function comparison(holds: (left: unknown, right: unknown, caseSensitive: boolean) => boolean): Operator {
  return ({ left, right, caseSensitive }) => {
    return Array.isArray(left)
      ? left.filter((item) => holds(item, right, caseSensitive))
      : holds(left, right, caseSensitive);
  };
}

function ordered(holds: (order: number) => boolean): Operator {
  return comparison((left, right, caseSensitive) => {
    const order = compare(left, right, caseSensitive);
    if (order !== undefined) return holds(order);
    throw new ShellError(
      `Could not compare "${toText(left)}" to "${toText(right)}". Error: "Cannot convert value "${toText(right)}" to type "${typeNameOf(left)}"."`,
      { id: 'ComparisonFailure', category: 'InvalidOperation' },
    );
  });
}

function like(left: unknown, right: unknown, caseSensitive: boolean): boolean {
  return wildcard(toText(right), caseSensitive)(toText(left));
}

function isIn(list: unknown, value: unknown, caseSensitive: boolean): boolean {
  const items = Array.isArray(list) ? list : [list];
  return items.some((item) => equals(item, value, caseSensitive));
}

/** Also sets `$Matches`, when a single text matches. */
function match({ left, right, caseSensitive, context }: Operands): unknown {
  const pattern = regularExpression(toText(right), caseSensitive);
  if (Array.isArray(left)) return left.filter((item) => pattern.test(toText(item)));
  const found = pattern.exec(toText(left));
  if (found === null) return false;
  const groups = [...found.entries(), ...Object.entries(found.groups ?? {})].filter(([, text]) => text !== undefined);
  context?.scope.set('matches', new Hashtable(groups));
  return true;
}

const notMatch: Operator = ({ left, right, caseSensitive }) => {
  const pattern = regularExpression(toText(right), caseSensitive);
  const misses = (item: unknown): boolean => !pattern.test(toText(item));
  return Array.isArray(left) ? left.filter(misses) : misses(left);
};

const replace: Operator = ({ left, right, caseSensitive }) => {
  const [pattern, text = ''] = Array.isArray(right) ? (right as readonly unknown[]) : [right];
  const expression = regularExpression(toText(pattern), caseSensitive, 'g');
  const each = (item: unknown): string => expression.replace(toText(item), toText(text));
  return Array.isArray(left) ? left.map(each) : each(left);
};

/** `text -split pattern, limit`; a text alone is split at white space. */
export function split(left: unknown, right: unknown, caseSensitive: boolean): unknown {
  const [pattern, limit = 0] = Array.isArray(right) ? (right as readonly unknown[]) : [right];
  const expression = regularExpression(toText(pattern), caseSensitive, 'g');
  return (Array.isArray(left) ? left : [left]).flatMap((item) => splitText(toText(item), expression, Number(limit)));
}

function splitText(text: string, pattern: Pattern, limit: number): string[] {
  const parts = pattern.split(text).map((part: string | undefined) => part ?? '');
  if (limit <= 0 || parts.length <= limit) return parts;
  const pieces: string[] = [];
  let start = 0;
  for (const found of pattern.all(text)) {
    if (pieces.length === limit - 1) break;
    pieces.push(text.slice(start, found.index));
    start = found.index + found[0].length;
  }
  return [...pieces, text.slice(start)];
}

/** Texts of a list with a separator between them. */
export function join(left: unknown, separator: string): string {
  return (Array.isArray(left) ? left : [left]).map(toText).join(separator);
}

function typeName(value: unknown): string {
  return value instanceof TypeValue ? value.name : toText(value).replace(/^\[(.*)\]$/, '$1');
}

function as(left: unknown, right: unknown): unknown {
  try {
    return convertTo(typeName(right), left);
  } catch (error) {
    if (error instanceof ShellError && error.details.id.startsWith('InvalidCast')) return null;
    throw error;
  }
}

/** Operators by name, without the leading `c` of case-sensitive forms. `and` and `or` are no part: they do not always evaluate both sides. */
const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['eq', comparison(equals)],
  ['ne', comparison((left, right, caseSensitive) => !equals(left, right, caseSensitive))],
  ['gt', ordered((order) => order > 0)],
  ['ge', ordered((order) => order >= 0)],
  ['lt', ordered((order) => order < 0)],
  ['le', ordered((order) => order <= 0)],
  ['like', comparison(like)],
  ['notlike', comparison((left, right, caseSensitive) => !like(left, right, caseSensitive))],
  ['match', match],
  ['notmatch', notMatch],
  ['contains', ({ left, right, caseSensitive }) => isIn(left, right, caseSensitive)],
  ['notcontains', ({ left, right, caseSensitive }) => !isIn(left, right, caseSensitive)],
  ['in', ({ left, right, caseSensitive }) => isIn(right, left, caseSensitive)],
  ['notin', ({ left, right, caseSensitive }) => !isIn(right, left, caseSensitive)],
  ['replace', replace],
  ['split', ({ left, right, caseSensitive }) => split(left, right, caseSensitive)],
  ['join', ({ left, right }) => join(left, toText(right))],
  ['is', ({ left, right }) => isOfType(left, typeName(right))],
  ['isnot', ({ left, right }) => !isOfType(left, typeName(right))],
  ['as', ({ left, right }) => as(left, right)],
  ['xor', ({ left, right }) => toBoolean(left) !== toBoolean(right)],
  ['band', ({ left, right }) => bitwise(left, right, (a, b) => a & b)],
  ['bor', ({ left, right }) => bitwise(left, right, (a, b) => a | b)],
  ['bxor', ({ left, right }) => bitwise(left, right, (a, b) => a ^ b)],
  ['shl', ({ left, right }) => bitwise(left, right, (a, b) => BigInt.asIntN(32, a << (b & 31n)))],
  ['shr', ({ left, right }) => bitwise(left, right, (a, b) => a >> (b & 31n))],
  ['+', ({ left, right }) => add(left, right)],
  ['-', ({ left, right }) => subtract(left, right)],
  ['*', ({ left, right }) => multiply(left, right)],
  ['/', ({ left, right }) => divide(left, right)],
  ['%', ({ left, right }) => remainder(left, right)],
  ['..', ({ left, right }) => range(left, right)],
  ['f', ({ left, right }) => formatString(toText(left), Array.isArray(right) ? right : [right])],
]);

/** Applies a binary operator other than -and and -or; `context` takes `$Matches`. Throws ShellError. */
export function applyOperator(name: string, left: unknown, right: unknown, context?: Context): unknown {
  const plain = operators.get(name);
  const operator = plain ?? operators.get(name.slice(1));
  if (operator === undefined) throw new RangeError(`no operator ${name}`);
  return operator({ left, right, caseSensitive: plain === undefined, ...(context === undefined ? {} : { context }) });
}
