import { convertTo } from '../../values/convert.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { isTimeSpan, Quantity } from '../../values/quantity.ts';
import { ShellError } from '../../values/shell-error.ts';
import { ShellObject } from '../../values/shell-object.ts';
import { toText } from '../../values/text.ts';
import { numberOf } from './arithmetic.ts';

/** `$x[0]`, `$x[-1]`, `$x[0,2]`, `$table['key']`. Throws ShellError for null. */
export function indexInto(target: unknown, index: unknown): unknown {
  if (target === null || target === undefined) {
    throw new ShellError('Cannot index into a null array.', { id: 'NullArray', category: 'InvalidOperation' });
  }
  if (target instanceof Hashtable)
    return Array.isArray(index) ? index.map((key) => target.get(key)) : target.get(index);
  // Of several places, those that are not there give nothing.
  if (Array.isArray(index)) return index.map((one) => itemAt(target, one)).filter((item) => item !== undefined);
  return itemAt(target, index) ?? null;
}

function itemAt(target: unknown, index: unknown): unknown {
  const position = Math.round(numberOf(index));
  if (typeof target === 'string' || target instanceof Uint8Array) return target.at(position);
  if (Array.isArray(target)) return (target as readonly unknown[]).at(position);
  return position === 0 || position === -1 ? target : undefined;
}

/** `$x[0] = value`. Throws ShellError for what has no such place. */
export function setIndex(target: unknown, index: unknown, value: unknown): void {
  if (target instanceof Hashtable) return target.set(index, value);
  if (target === null || target === undefined) {
    throw new ShellError('Cannot index into a null array.', { id: 'NullArray', category: 'InvalidOperation' });
  }
  if (!Array.isArray(target)) {
    throw new ShellError(`Unable to index into an object of type ${toText(target)}.`, {
      id: 'CannotIndex',
      category: 'InvalidOperation',
    });
  }
  const position = Math.round(numberOf(index));
  const place = position < 0 ? position + target.length : position;
  if (place < 0 || place >= target.length) {
    throw new ShellError('Index was outside the bounds of the array.', {
      id: 'System.IndexOutOfRangeException',
      category: 'OperationStopped',
      exception: 'IndexOutOfRangeException',
    });
  }
  (target as unknown[])[place] = value;
}

/** A size stays a size and a span a span when a number or text is stored in its place. */
function likeBefore(before: unknown, value: unknown): unknown {
  if (!(before instanceof Quantity) || (typeof value !== 'number' && typeof value !== 'string')) return value;
  if (before.typeName !== 'ByteQuantifiedSize' && !isTimeSpan(before)) return value;
  if (/^\s*unlimited\s*$/i.test(toText(value))) return value;
  return convertTo(isTimeSpan(before) ? 'timespan' : 'Microsoft.Exchange.Data.ByteQuantifiedSize', value);
}

/** `$x.Name = value`. Throws ShellError when the object has no such property. */
export function setProperty(target: unknown, name: string, value: unknown): void {
  if (target instanceof Hashtable) return target.set(name, value);
  if (target instanceof ShellObject && target.has(name)) return target.set(name, likeBefore(target.get(name), value));
  throw new ShellError(
    `The property '${name}' cannot be found on this object. Verify that the property exists and can be set.`,
    { id: 'PropertyNotFound', category: 'InvalidOperation' },
  );
}
