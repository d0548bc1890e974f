import type { Block, DoStatement, ForeachStatement, ForStatement, WhileStatement } from '../language/ast.ts';
import { toBoolean } from '../values/convert.ts';
import type { Context } from './context.ts';
import { valueOf } from './evaluate.ts';
import { Leave } from './leave.ts';
import { enumerate, runStatement, runStatements } from './statements.ts';
import { writeVariable } from './variables.ts';

/** Runs a loop's body once. The generator returns false when the loop is to end. */
async function* once(body: Block, context: Context): AsyncGenerator<unknown, boolean> {
  context.budget.step();
  if (context.budget.due) await context.budget.pause();
  try {
    yield* runStatements(body.statements, context);
  } catch (error) {
    if (!(error instanceof Leave) || (error.how !== 'break' && error.how !== 'continue')) throw error;
    return error.how === 'continue';
  }
  return true;
}

export async function* runForeach(
  { variable, source, body }: ForeachStatement,
  context: Context,
): AsyncGenerator<unknown> {
  for (const item of enumerate(await valueOf(source, context))) {
    writeVariable(context, variable, item);
    if (!(yield* once(body, context))) return;
  }
}

export async function* runWhile({ condition, body }: WhileStatement, context: Context): AsyncGenerator<unknown> {
  while (toBoolean(await valueOf(condition, context))) if (!(yield* once(body, context))) return;
}

export async function* runDo({ condition, until, body }: DoStatement, context: Context): AsyncGenerator<unknown> {
  do {
    if (!(yield* once(body, context))) return;
  } while (toBoolean(await valueOf(condition, context)) !== until);
}

export async function* runFor(
  { initial, condition, step, body }: ForStatement,
  context: Context,
): AsyncGenerator<unknown> {
  // What the first and third part write goes nowhere.
  const run = async (part: typeof step): Promise<void> => {
    if (part !== undefined) for await (const _ of runStatement(part, context)) context.budget.step();
  };
  for (await run(initial); condition === undefined || toBoolean(await valueOf(condition, context)); await run(step)) {
    if (!(yield* once(body, context))) return;
  }
}
