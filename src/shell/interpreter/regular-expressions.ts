import { ShellError } from '../values/shell-error.ts';

/** Longest text that a pattern is tried on: bounds what a bad pattern can cost. */
const maxSubject = 1_000_000;

/** .NET's regular expression as this runtime's: leading (?i…) options become flags. Throws ShellError when it is none. */
export function regularExpression(pattern: string, caseSensitive: boolean, flags = ''): RegExp {
  const options = /^\(\?([imsx]+)\)/.exec(pattern);
  const named = (options?.[1] ?? '').replace('x', '');
  const all = new Set([...flags, ...named, ...(caseSensitive ? [] : ['i'])]);
  const body = pattern
    .slice(options?.[0].length ?? 0)
    .replaceAll('\\A', '^')
    .replaceAll(/\\[Zz]/g, '$');
  try {
    return new RegExp(body, [...all].join(''));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^Invalid regular expression: (?:.*: )?/s, '') : '';
    throw new ShellError(`The regular expression pattern ${pattern} is not valid: ${reason}.`, {
      id: 'InvalidRegularExpression',
      category: 'InvalidOperation',
      target: pattern,
      cause,
    });
  }
}

/** Throws ShellError for texts that are too long to be searched. */
export function searchable(text: string): string {
  if (text.length <= maxSubject) return text;
  throw new ShellError(`A text of ${text.length} characters is too long to be searched.`, {
    id: 'WorkLimitExceeded',
    category: 'LimitsExceeded',
  });
}

/** .NET's replacement text as this runtime's: `${name}` becomes `$<name>`, `$0` the whole match. */
export function replacement(text: string): string {
  return text.replace(/\$(?:\{(\w+)\}|(0)(?!\d))/g, (_, name?: string) => {
    if (name === undefined) return '$&';
    return /^\d+$/.test(name) ? `$${name}` : `$<${name}>`;
  });
}
