import type { Script } from './ast.ts';
import { readExpression } from './expressions.ts';
import { readPrimary } from './primary.ts';
import { type Grammar, Scanner } from './scanner.ts';
import { readStatement, readStatements } from './statements.ts';
import { ShellSyntaxError } from './syntax-error.ts';

const grammar: Grammar = { readStatements, readStatement, readExpression, readPrimary };

/** Longest text that is read at once, in UTF-16 code units: a script of some 20,000 lines. */
export const maxScriptLength = 1_000_000;

export interface ParseResult {
  /** What could be read; not to be run when there are errors. */
  readonly script: Script;
  /** In order of place. */
  readonly errors: readonly ShellSyntaxError[];
}

/** Reads a line or a script. Never throws for any text. */
export function parse(text: string): ParseResult {
  const scanner = new Scanner(text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text, grammar);
  const extent = { start: 0, end: text.length };
  if (text.length > maxScriptLength) {
    const error = new ShellSyntaxError('ScriptTooLong', `The text is longer than ${maxScriptLength} characters.`, {
      start: 0,
      end: 1,
    });
    return { script: { kind: 'script', statements: [], extent }, errors: [error] };
  }
  let statements: Script['statements'] = [];
  try {
    statements = readStatements(scanner, '');
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    scanner.errors.push(error);
  }
  const errors = scanner.errors.toSorted((a, b) => a.extent.start - b.extent.start);
  return { script: { kind: 'script', statements, extent }, errors };
}

/** False when further lines may complete the text: an open quote or bracket, a trailing pipe, operator or backtick. */
export function isComplete(text: string): boolean {
  if (/`\r?\n?$/.test(text) && !/``\r?\n?$/.test(text)) return false;
  const { errors } = parse(text);
  return errors[0]?.incomplete !== true;
}
