import type { NumberLiteral } from './ast.ts';
import { endsWord, isDash } from './characters.ts';
import type { Scanner } from './scanner.ts';

const multipliers: Readonly<Record<string, number>> = {
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  tb: 1024 ** 4,
  pb: 1024 ** 5,
};

const numberPattern =
  /([-\u2013-\u2015+]?)(?:0x([0-9a-f]+)|(\d+(?:\.\d+)?|\.\d+)(e[+-]?\d+)?)(?:[ld](?=$|[^\w]|[kmgtp]b))?([kmgtp]b)?(?![\p{L}\p{N}_])/iuy;

/**
 * Reads a number at the cursor: decimal, hexadecimal, with exponent, with `l` or `d`, with KB … PB. `sign` tells whether a
 * dash may lead it; `whole` that the word must end behind it, as in arguments, where `10.0.0.1` is text.
 */
export function readNumber(
  scanner: Scanner,
  { sign, whole }: { sign: boolean; whole: boolean },
): NumberLiteral | undefined {
  const match = scanner.match(numberPattern);
  if (match === undefined || (match[1] !== '' && !sign)) return undefined;
  const next = scanner.text[match.index + match[0].length] ?? '';
  if (whole && !endsWord(next)) return undefined;
  const value = numberValue(match);
  if (!Number.isFinite(value)) return undefined;
  const start = scanner.position;
  scanner.position += match[0].length;
  return { kind: 'number', value, text: match[0], extent: scanner.from(start) };
}

function numberValue([, sign = '', hex, decimal = '0', exponent = '', multiplier = '']: RegExpExecArray): number {
  const amount = hex === undefined ? Number(`${decimal}${exponent}`) : Number.parseInt(hex, 16);
  const value = amount * (multipliers[multiplier.toLowerCase()] ?? 1);
  return isDash(sign) && value !== 0 ? -value : value;
}

/** The number that a whole text spells, as conversions from text read it; undefined when it is none. */
export function numberFromText(text: string): number | undefined {
  const match = /^\s*([-+]?)(?:0x([0-9a-f]+)|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)([kmgtp]b)?\s*$/i.exec(text);
  return match === null ? undefined : numberValue(match);
}
