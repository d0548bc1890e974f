/**
 * Values of expressions and the work of statements: each half of the language needs the other, and reaches it by way of the context.
 * With it, what becomes of the values that statements write.
 */
import type { Expression, Statement } from '../../language/ast.ts';
import type { Context } from './context.ts';

/** The value of an expression. Throws Failure with the place of the part at fault. */
export function evaluate(node: Expression, context: Context): Promise<unknown> {
  return context.engine.evaluate(node, context);
}

/** Runs one statement. Throws Failure. */
export function runStatement(statement: Statement, context: Context): AsyncGenerator<unknown> {
  return context.engine.runStatement(statement, context);
}

/**
 * Runs statements in order and gives what they write. An error ends its statement; the next ones run, unless errors are
 * to stop the script.
 */
export function runStatements(statements: readonly Statement[], context: Context): AsyncGenerator<unknown> {
  return context.engine.runStatements(statements, context);
}

/** Nothing as null, one value as itself, several as a list. */
export function collect(values: readonly unknown[]): unknown {
  return values.length > 1 ? values : (values[0] ?? null);
}

/** The items of a list; nothing for null; any other value is a list of one. */
export function enumerate(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Uint8Array) return [...value];
  return value === null || value === undefined ? [] : [value];
}

/** Everything that comes out, as a list. */
export async function gather(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of source) values.push(value);
  return values;
}
