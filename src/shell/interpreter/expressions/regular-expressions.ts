/**
 * Regular expressions of lines. What they may cost is bounded: this runtime's engine backtracks, and `^(a+)+$` takes longer than
 * anybody waits on a text of 40 characters. A match that could take long runs under a timer, and Ctrl-C ends it.
 */
import { Script } from 'node:vm';
import { ShellError } from '../../values/shell-error.ts';
import { cancelled } from '../state/budget.ts';

/** Longest text that a pattern is tried on, in characters. */
const maxSubject = 1_000_000;
/** Time for one match, in milliseconds. */
const matchTimeoutMs = 2000;
/** Steps that a match may take without a timer: some 100 ms. Setting one up takes as long as 10,000 steps. */
const cheapSteps = 5e7;

/** A pattern of a line. Its methods throw ShellError when a match takes too long, or is ended by Ctrl-C. */
export class Pattern {
  readonly #expression: RegExp;

  constructor(expression: RegExp) {
    this.#expression = expression;
  }

  test(text: string): boolean {
    return this.exec(text) !== null;
  }

  exec(text: string): RegExpExecArray | null {
    return this.#bounded(text, (expression) => {
      expression.lastIndex = 0;
      return expression.exec(text);
    });
  }

  replace(text: string, by: string): string {
    return this.#bounded(text, (expression) => text.replace(expression, replacement(by)));
  }

  split(text: string): string[] {
    return this.#bounded(text, (expression) => text.split(expression));
  }

  /** Every match; the pattern is a global one. */
  all(text: string): RegExpExecArray[] {
    return this.#bounded(text, (expression) => [...text.matchAll(expression)]);
  }

  #bounded<T>(text: string, match: (expression: RegExp) => T): T {
    const searched = searchable(text);
    if (mostSteps(this.#expression.source, searched.length) <= cheapSteps) return match(this.#expression);
    return underTimer(() => match(this.#expression));
  }
}

/** .NET's regular expression as this runtime's: leading (?i…) options become flags. Throws ShellError when it is none. */
export function regularExpression(pattern: string, caseSensitive: boolean, flags = ''): Pattern {
  const options = /^\(\?([imsx]+)\)/.exec(pattern);
  const named = (options?.[1] ?? '').replace('x', '');
  const all = new Set([...flags, ...named, ...(caseSensitive ? [] : ['i'])]);
  const body = pattern
    .slice(options?.[0].length ?? 0)
    .replaceAll('\\A', '^')
    .replaceAll(/\\[Zz]/g, '$');
  try {
    return new Pattern(new RegExp(body, [...all].join('')));
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

/** Steps that a pattern takes on a text at the most: each repetition tries every length at every place. */
function mostSteps(source: string, length: number): number {
  const plain = source.replace(/\\[^1-9k]/g, '.').replace(/\[(?:[^\]\\]|\\.)*\]/g, '.');
  // A repeated group, or one that is looked for again, has no such bound.
  if (/\)[*+?{]|\\/.test(plain)) return Infinity;
  const repetitions = plain.replace(/\(\?/g, '(').match(/[*+?]|\{\d+,/g)?.length ?? 0;
  return Math.max(1, length) ** (repetitions + 1);
}

/** How the timer reaches what it bounds: only a script has one. */
const boundedCall = Symbol.for('edge.shell.bounded-call');

function underTimer<T>(call: () => T): T {
  const hooks = globalThis as unknown as Record<symbol, (() => T) | undefined>;
  hooks[boundedCall] = call;
  try {
    const script = new Script(`globalThis[Symbol.for('edge.shell.bounded-call')]()`);
    return script.runInThisContext({ timeout: matchTimeoutMs, breakOnSigint: true }) as T;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw tooLong();
    if (code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
    // Ctrl-C came while nobody could hear it: whoever waits for it hears it now.
    process.kill(process.pid, 'SIGINT');
    throw cancelled();
  } finally {
    hooks[boundedCall] = undefined;
  }
}

function tooLong(): ShellError {
  return new ShellError(
    'The RegEx engine has timed out while trying to match a pattern to an input string. This can occur for many reasons, including very large inputs or excessive backtracking caused by nested quantifiers, back-references and other factors.',
    { id: 'RegexMatchTimeoutException', category: 'LimitsExceeded', exception: 'RegexMatchTimeoutException' },
  );
}

/** Throws ShellError for texts that are too long to be searched. */
function searchable(text: string): string {
  if (text.length <= maxSubject) return text;
  throw new ShellError(`A text of ${text.length} characters is too long to be searched.`, {
    id: 'WorkLimitExceeded',
    category: 'LimitsExceeded',
  });
}

/** .NET's replacement text as this runtime's: `${name}` becomes `$<name>`, `$0` the whole match. */
function replacement(text: string): string {
  return text.replace(/\$(?:\{(\w+)\}|(0)(?!\d))/g, (_, name?: string) => {
    if (name === undefined) return '$&';
    return /^\d+$/.test(name) ? `$${name}` : `$<${name}>`;
  });
}
