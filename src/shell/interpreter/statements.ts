import type { IfStatement, Statement } from '../language/ast.ts';
import { toBoolean } from '../values/convert.ts';
import { runPipeline } from './commands/pipeline.ts';
import { runLeave, runSwitch, runTry } from './control.ts';
import { assign } from './expressions/assign.ts';
import { valueOf } from './expressions/value-of.ts';
import { runDo, runFor, runForeach, runWhile } from './loops.ts';
import { type Context, Failure, located, report } from './state/context.ts';
import { readVariable } from './state/variables.ts';

const simple: ReadonlySet<Statement['kind']> = new Set(['pipeline', 'assignment']);

/**
 * Runs statements in order and gives what they write. An error ends its statement; the next ones run, unless errors are
 * to stop the script.
 */
export async function* runStatements(statements: readonly Statement[], context: Context): AsyncGenerator<unknown> {
  for (const statement of statements) {
    const before = context.state.errors;
    try {
      context.budget.step();
      if (context.budget.due) await context.budget.pause();
      yield* runStatement(statement, context);
      // Of other statements the last one inside tells.
      if (simple.has(statement.kind)) context.state.succeeded = context.state.errors === before;
    } catch (error) {
      const failure = located(context, error, statement.extent);
      // The try around it reports what nobody takes.
      if (context.trapping === true) throw failure;
      if (!failure.reported) report(context, failure.record);
      context.state.succeeded = false;
      if (failure.stopsScript || stopsOnError(context))
        throw new Failure(failure.record, { stopsScript: true, reported: true });
    }
  }
}

function stopsOnError(context: Context): boolean {
  return String(readVariable(context, 'ErrorActionPreference')).toLowerCase() === 'stop';
}

/** Runs one statement. Throws Failure. */
export async function* runStatement(statement: Statement, context: Context): AsyncGenerator<unknown> {
  switch (statement.kind) {
    case 'pipeline':
      yield* runPipeline(statement, context);
      return;
    case 'assignment':
      await assign(statement.target, statement.operator, await valueOf(statement.value, context), context);
      return;
    case 'if':
      yield* runIf(statement, context);
      return;
    default:
      yield* runOther(statement, context);
  }
}

function runOther(
  statement: Exclude<Statement, { kind: 'pipeline' | 'assignment' | 'if' }>,
  context: Context,
): AsyncGenerator<unknown> {
  switch (statement.kind) {
    case 'foreach':
      return runForeach(statement, context);
    case 'while':
      return runWhile(statement, context);
    case 'do':
      return runDo(statement, context);
    case 'for':
      return runFor(statement, context);
    case 'switch':
      return runSwitch(statement, context);
    case 'try':
      return runTry(statement, context);
    case 'leave':
      return runLeave(statement, context);
  }
}

async function* runIf({ clauses, otherwise }: IfStatement, context: Context): AsyncGenerator<unknown> {
  for (const { condition, body } of clauses) {
    if (!toBoolean(await valueOf(condition, context))) continue;
    yield* runStatements(body.statements, context);
    return;
  }
  if (otherwise !== undefined) yield* runStatements(otherwise.statements, context);
}
