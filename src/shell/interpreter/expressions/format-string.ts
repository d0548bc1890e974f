import { formatDate } from '../../values/dates.ts';
import { Quantity } from '../../values/quantity.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';

/** Widest field and greatest precision that a format may ask for. */
const maxWidth = 1000;

/** `'{0,-10:N2}' -f values`. Throws ShellError when a placeholder has no value. */
export function formatString(format: string, values: readonly unknown[]): string {
  return format.replace(
    /\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^{}]*))?\}|[{}]/g,
    (token, index?: string, width?: string, spec?: string) => {
      if (token === '{{') return '{';
      if (token === '}}') return '}';
      const position = Number(index);
      if (index === undefined) throw failure('Input string was not in a correct format.');
      if (position >= values.length) {
        throw failure(
          'Index (zero based) must be greater than or equal to zero and less than the size of the argument list.',
        );
      }
      return pad(formatValue(values[position], spec ?? ''), Math.trunc(Number(width ?? 0)));
    },
  );
}

function failure(message: string): ShellError {
  return new ShellError(`Error formatting a string: ${message}`, { id: 'FormatError', category: 'InvalidOperation' });
}

function pad(text: string, width: number): string {
  if (Math.abs(width) > maxWidth) throw failure(`a field is at most ${maxWidth} wide.`);
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}

/** One value by a .NET format: N2, F1, D4, X, P0, or a date's. */
export function formatValue(value: unknown, spec: string): string {
  if (spec === '') return toText(value);
  if (value instanceof Date) return formatDate(value, spec);
  const number = value instanceof Quantity ? value.value : value;
  return typeof number === 'number' ? formatNumber(number, spec) : toText(value);
}

function formatNumber(value: number, spec: string): string {
  const match = /^([NFDXPCGE])(\d{0,3})$/i.exec(spec);
  if (match === null) return customNumber(value, spec);
  const digits = match[2] === '' || match[2] === undefined ? undefined : Math.min(Number(match[2]), 20);
  const grouped = (amount: number, places: number): string =>
    amount.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
  switch (match[1]?.toUpperCase()) {
    case 'N':
      return grouped(value, digits ?? 2);
    case 'F':
      return value.toFixed(digits ?? 2);
    case 'P':
      return `${grouped(value * 100, digits ?? 2)}%`;
    case 'C':
      return `${value < 0 ? '-' : ''}$${grouped(Math.abs(value), digits ?? 2)}`;
    case 'D':
      return `${value < 0 ? '-' : ''}${Math.abs(Math.round(value))
        .toString()
        .padStart(digits ?? 0, '0')}`;
    case 'X': {
      const hex = Math.round(value)
        .toString(16)
        .padStart(digits ?? 0, '0');
      return match[1] === 'X' ? hex.toUpperCase() : hex;
    }
    case 'E':
      return value.toExponential(digits ?? 6);
    default:
      return toText(value);
  }
}

/** `0.00`, `#,##0.0`, `000`. */
function customNumber(value: number, spec: string): string {
  const match = /^([#0,]*)(?:\.([#0]+))?$/.exec(spec);
  if (match === null) throw failure(`'${spec}' is no format of this shell.`);
  const [, whole = '', fraction = ''] = match;
  return value.toLocaleString('en-US', {
    useGrouping: whole.includes(','),
    minimumIntegerDigits: Math.min(Math.max(1, whole.replace(/[^0]/g, '').length), 20),
    minimumFractionDigits: Math.min(fraction.replace(/[^0]/g, '').length, 20),
    maximumFractionDigits: Math.min(fraction.length, 20),
  });
}
