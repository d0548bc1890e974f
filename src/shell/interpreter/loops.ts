import type { DoStatement, ForeachStatement, ForStatement, WhileStatement } from '../language/ast.ts';
import { toBoolean } from '../values/convert.ts';
import { valueOf } from './expressions/value-of.ts';
import type { Context } from './state/context.ts';
import { enumerate, runStatement, runStatements } from './state/engine.ts';
import { Leave } from './state/leave.ts';
import { writeVariable } from './state/variables.ts';

type Loop = DoStatement | ForeachStatement | ForStatement | WhileStatement;

/** Runs a loop's body once. The generator returns false when the loop is to end. */
async function* once(loop: Loop, context: Context): AsyncGenerator<unknown, boolean> {
  context.budget.step();
  if (context.budget.due) await context.budget.pause();
  try {
    yield* runStatements(loop.body.statements, context);
  } catch (error) {
    if (!(error instanceof Leave)) throw error;
    if (error.isFor('continue', loop)) return true;
    if (!error.isFor('break', loop)) throw error;
    return false;
  }
  return true;
}

export async function* runForeach(loop: ForeachStatement, context: Context): AsyncGenerator<unknown> {
  const { variable, source } = loop;
  for (const item of enumerate(await valueOf(source, context))) {
    writeVariable(context, variable, item);
    if (!(yield* once(loop, context))) return;
  }
}

export async function* runWhile(loop: WhileStatement, context: Context): AsyncGenerator<unknown> {
  while (toBoolean(await valueOf(loop.condition, context))) if (!(yield* once(loop, context))) return;
}

export async function* runDo(loop: DoStatement, context: Context): AsyncGenerator<unknown> {
  const { condition, until } = loop;
  do {
    if (!(yield* once(loop, context))) return;
  } while (toBoolean(await valueOf(condition, context)) !== until);
}

export async function* runFor(loop: ForStatement, context: Context): AsyncGenerator<unknown> {
  const { initial, condition, step } = loop;
  // What the first and third part write goes nowhere.
  const run = async (part: typeof step): Promise<void> => {
    if (part !== undefined) for await (const _ of runStatement(part, context)) context.budget.step();
  };
  for (await run(initial); condition === undefined || toBoolean(await valueOf(condition, context)); await run(step)) {
    if (!(yield* once(loop, context))) return;
  }
}
