/** Binary operators by precedence, loosest first (Language Specification §7.2–§7.9; about_Operator_Precedence). */

const comparisons = [
  'eq', 'ne', 'gt', 'ge', 'lt', 'le', 'like', 'notlike', 'match', 'notmatch', 'replace', 'contains', 'notcontains', 'in',
  'notin', 'split',
]; // biome-ignore format: a table of words

/** Rows of operators that bind alike; all associate to the left. */
export const precedence: readonly ReadonlySet<string>[] = [
  new Set(['and', 'or', 'xor']),
  new Set(['band', 'bor', 'bxor', 'shl', 'shr']),
  new Set([...comparisons, ...comparisons.map((name) => `c${name}`), 'is', 'isnot', 'as', 'join']),
  new Set(['+', '-']),
  new Set(['*', '/', '%']),
  new Set(['f']),
  new Set(['..']),
];

/** Every word that may stand behind a dash between two operands; `ieq` is `eq`. */
const dashOperators: ReadonlySet<string> = new Set(
  precedence.flatMap((row) => [...row]).filter((name) => /^[a-z]/.test(name)),
);

/** The one name of an operator: lower case, without the `i` of the case-insensitive forms. */
export function operatorName(word: string): string | undefined {
  const name = word.toLowerCase();
  if (dashOperators.has(name)) return name;
  const plain = name.startsWith('i') ? name.slice(1) : '';
  return comparisons.includes(plain) ? plain : undefined;
}

/** Words that may stand behind a dash before one operand. */
export const unaryWords = { not: 'not', bnot: 'bnot', join: 'join', split: 'split', isplit: 'split' } as const;

/** Unary operators as they are written. */
export const unaryText = {
  not: '-not',
  minus: '-',
  plus: '+',
  comma: ',',
  join: '-join',
  split: '-split',
  bnot: '-bnot',
} as const;
