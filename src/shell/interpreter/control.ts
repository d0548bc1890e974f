import type { LeaveStatement, SwitchStatement, TryStatement } from '../language/ast.ts';
import { equals } from '../values/compare.ts';
import { convertTo, toBoolean } from '../values/convert.ts';
import { ScriptBlock } from '../values/script-block.ts';
import { ShellError } from '../values/shell-error.ts';
import { toText } from '../values/text.ts';
import { wildcard } from '../values/wildcard.ts';
import { invokeBlock } from './commands/invoke-block.ts';
import { applyOperator } from './expressions/operators.ts';
import { valueOf } from './expressions/value-of.ts';
import { type Context, Failure, report } from './state/context.ts';
import { collect, enumerate, evaluate, gather, runStatement, runStatements } from './state/engine.ts';
import { ErrorRecord } from './state/error-record.ts';
import { Leave } from './state/leave.ts';

/** Runs the clauses that fit each value of the subject, `$_` being the value; the default when none does. */
export async function* runSwitch(statement: SwitchStatement, context: Context): AsyncGenerator<unknown> {
  const before = context.scope.get('_');
  try {
    for (const item of enumerate(await valueOf(statement.subject, context))) {
      context.scope.set('_', item);
      yield* runClauses(statement, item, context);
    }
  } catch (error) {
    if (!(error instanceof Leave) || !error.isFor('break', statement)) throw error;
  } finally {
    context.scope.set('_', before ?? null);
  }
}

/** Clauses are tried one after the other: a break in one keeps the tests of the next from being run. */
async function* runClauses(statement: SwitchStatement, item: unknown, context: Context): AsyncGenerator<unknown> {
  let taken = false;
  try {
    for (const { test, body } of statement.clauses) {
      if (test === undefined || !(await fits(statement, await evaluate(test, context), item, context))) continue;
      taken = true;
      yield* runStatements(body.statements, context);
      context.scope.set('_', item);
    }
    const otherwise = statement.clauses.find(({ test }) => test === undefined);
    if (!taken && otherwise !== undefined) yield* runStatements(otherwise.body.statements, context);
  } catch (error) {
    if (!(error instanceof Leave) || !error.isFor('continue', statement)) throw error;
  }
}

async function fits(
  { mode, caseSensitive }: SwitchStatement,
  test: unknown,
  item: unknown,
  context: Context,
): Promise<boolean> {
  if (test instanceof ScriptBlock) return toBoolean(collect(await invokeBlock(context, test, item)));
  if (mode === 'wildcard') return wildcard(toText(test), caseSensitive)(toText(item));
  // Takes $Matches, too.
  if (mode === 'regex') return applyOperator(caseSensitive ? 'cmatch' : 'match', toText(item), test, context) === true;
  return equals(item, test, caseSensitive);
}

/** Runs a body whose errors are taken by the first catch that fits; what stands in finally runs in any case. */
export async function* runTry({ body, catches, last }: TryStatement, context: Context): AsyncGenerator<unknown> {
  try {
    yield* runStatements(body.statements, catches.length > 0 ? { ...context, trapping: true } : context);
  } catch (error) {
    const handler = error instanceof Failure ? catches.find(({ types }) => takes(types, error.record)) : undefined;
    if (handler === undefined || !(error instanceof Failure) || uncatchable.has(error.record.details.id)) throw error;
    if (!error.reported) report(context, error.record, false);
    yield* runCatch(handler.body, error.record, context);
  } finally {
    if (last !== undefined) yield* runStatements(last.statements, context);
  }
}

/** Ctrl+C and the bounds of a line's work end it in any case. */
const uncatchable: ReadonlySet<string> = new Set(['PipelineStopped', 'WorkLimitExceeded']);

async function* runCatch(body: TryStatement['body'], record: ErrorRecord, context: Context): AsyncGenerator<unknown> {
  const before = context.scope.get('_');
  context.scope.set('_', record);
  try {
    yield* runStatements(body.statements, { ...context, caught: record });
  } finally {
    context.scope.set('_', before ?? null);
  }
}

/** Names of .NET's classes above every exception. */
const everyException = /^(?:System\.)?(?:Exception|SystemException|Object)$|RuntimeException$/i;

function takes(types: readonly string[], { details }: ErrorRecord): boolean {
  const own = (details.exception ?? 'RuntimeException').toLowerCase();
  return (
    types.length === 0 ||
    types.some((type) => everyException.test(type) || type.toLowerCase().split('.').at(-1) === own)
  );
}

/** Runs break, continue, return, exit or throw: it always throws. */
export async function* runLeave(statement: LeaveStatement, context: Context): AsyncGenerator<unknown> {
  const { how, value } = statement;
  if (how === 'throw') throw await thrown(statement, context);
  if (how === 'return' && value !== undefined) yield* runStatement(value, context);
  const status = how === 'exit' && value !== undefined ? convertTo('int', await valueOf(value, context)) : 0;
  throw new Leave(how, typeof status === 'number' ? status : 0, statement.label);
}

async function thrown({ value, extent }: LeaveStatement, context: Context): Promise<Failure> {
  const what = value === undefined ? context.caught : collect(await gather(runStatement(value, context)));
  if (what instanceof ErrorRecord) return new Failure(what, { stopsScript: true });
  const text = toText(what ?? 'ScriptHalted');
  const error = new ShellError(text, { id: text, category: 'OperationStopped', target: what });
  return new Failure(new ErrorRecord(error, { source: context.source, extent }), { stopsScript: true });
}
