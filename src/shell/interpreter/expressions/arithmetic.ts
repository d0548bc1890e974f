import { StructuredValue } from '../../../config/values/index.ts';
import { numberFromText } from '../../language/number.ts';
import { toBoolean } from '../../values/convert.ts';
import { sameKind } from '../../values/date-kind.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { isTimeSpan, Quantity, timeSpan } from '../../values/quantity.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { typeNameOf } from '../../values/types.ts';
import { Budget } from '../state/budget.ts';

function noSuchOperation(operator: string, left: unknown): never {
  throw new ShellError(
    `Method invocation failed because [${typeNameOf(left)}] does not contain a method named '${operator}'.`,
    {
      id: 'MethodNotFound',
      category: 'InvalidOperation',
      target: operator,
    },
  );
}

/** A number of an operand. Throws ShellError for texts that are none. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'boolean') return toBoolean(value) ? 1 : 0;
  if (value instanceof Quantity) return value.value;
  const number = typeof value === 'string' ? (value.trim() === '' ? 0 : numberFromText(value)) : undefined;
  if (number !== undefined) return number;
  if (Array.isArray(value)) {
    throw new ShellError(
      'Cannot convert the "System.Object[]" value of type "System.Object[]" to type "System.Int32".',
      { id: 'ConvertToFinalInvalidCastException', category: 'InvalidArgument' },
    );
  }
  throw new ShellError(
    `Cannot convert value "${toText(value)}" to type "System.Int32". Error: "Input string was not in a correct format."`,
    { id: 'InvalidCastFromStringToInteger', category: 'InvalidArgument' },
  );
}

/** A result in the kind of the left operand: sizes stay sizes, spans stay spans. */
function like(left: unknown, value: number): unknown {
  if (isTimeSpan(left)) return timeSpan(value);
  return left instanceof Quantity && left.typeName === 'ByteQuantifiedSize' ? Quantity.bytes(value) : value;
}

/** `+`: lists and hashtables join, texts join, dates take spans, anything else is a number. */
export function add(left: unknown, right: unknown): unknown {
  if (Array.isArray(left)) {
    const items = Array.isArray(right) ? (right as readonly unknown[]) : [right];
    Budget.size(left.length + items.length);
    return [...(left as readonly unknown[]), ...items];
  }
  if (typeof left === 'string' || left instanceof StructuredValue) {
    const [start, end] = [toText(left), toText(right)];
    Budget.size(start.length + end.length);
    return start + end;
  }
  if (left instanceof Hashtable) {
    if (!(right instanceof Hashtable)) {
      throw new ShellError('A hash table can only be added to another hash table.', {
        id: 'AddHashTableToNonHashTable',
        category: 'InvalidOperation',
      });
    }
    return new Hashtable([...left.entries(), ...right.entries()]);
  }
  if (left === null || left === undefined) return right;
  if (left instanceof Date) return sameKind(left, left.getTime() + secondsOf('op_Addition', left, right) * 1000);
  if (typeof left === 'object' && !(left instanceof Quantity)) return noSuchOperation('op_Addition', left);
  return like(left, numberOf(left) + numberOf(right));
}

function secondsOf(operator: string, left: unknown, right: unknown): number {
  return isTimeSpan(right) ? right.value : noSuchOperation(operator, left);
}

/** `-`: between dates a span of time. */
export function subtract(left: unknown, right: unknown): unknown {
  if (left instanceof Date) {
    if (right instanceof Date) return timeSpan((left.getTime() - right.getTime()) / 1000);
    return sameKind(left, left.getTime() - secondsOf('op_Subtraction', left, right) * 1000);
  }
  if (typeof left === 'object' && left !== null && !(left instanceof Quantity))
    return noSuchOperation('op_Subtraction', left);
  return like(left, numberOf(left) - numberOf(right));
}

/** `*`: repeats texts and lists. */
export function multiply(left: unknown, right: unknown): unknown {
  if (typeof left === 'string') {
    const times = numberOf(right);
    Budget.size(left.length * times);
    return left.repeat(Math.max(0, Math.round(times)));
  }
  if (Array.isArray(left)) {
    const times = Math.max(0, Math.round(numberOf(right)));
    Budget.size(left.length * times);
    if (left.length === 0) return [];
    return Array.from({ length: times }, () => left as readonly unknown[]).flat();
  }
  if (typeof left === 'object' && left !== null && !(left instanceof Quantity))
    return noSuchOperation('op_Multiply', left);
  return like(left, numberOf(left) * numberOf(right));
}

function divisor(value: unknown): number {
  const number = numberOf(value);
  if (number !== 0) return number;
  throw new ShellError('Attempted to divide by zero.', { id: 'RuntimeException', category: 'NotSpecified' });
}

export function divide(left: unknown, right: unknown): unknown {
  if (typeof left === 'object' && left !== null && !(left instanceof Quantity))
    return noSuchOperation('op_Division', left);
  return right instanceof Quantity ? numberOf(left) / divisor(right) : like(left, numberOf(left) / divisor(right));
}

export function remainder(left: unknown, right: unknown): unknown {
  if (typeof left === 'object' && left !== null && !(left instanceof Quantity))
    return noSuchOperation('op_Modulus', left);
  return numberOf(left) % divisor(right);
}

/** `-band` and its kin, on whole numbers. */
export function bitwise(left: unknown, right: unknown, combine: (a: bigint, b: bigint) => bigint): number {
  const whole = (value: unknown): bigint => {
    const number = Math.round(numberOf(value));
    return Number.isFinite(number) ? BigInt(number) : 0n;
  };
  return Number(combine(whole(left), whole(right)));
}

/** `first..last`, upwards or downwards. */
export function range(left: unknown, right: unknown): number[] {
  const [first, last] = [Math.round(numberOf(left)), Math.round(numberOf(right))];
  const length = Math.abs(last - first) + 1;
  if (!Number.isFinite(length)) noSuchOperation('op_Range', left);
  Budget.size(length);
  const step = last < first ? -1 : 1;
  return Array.from({ length }, (_, i) => first + i * step);
}
