import type { Statement } from '../../language/ast.ts';
import type { Context } from '../state/context.ts';
import { collect, evaluate, gather, runStatement } from '../state/engine.ts';
import { assign } from './assign.ts';

/** What a statement in brackets gives: an expression's value as it is, a pipeline's objects as one or a list. */
export async function valueOf(statement: Statement, context: Context): Promise<unknown> {
  const [stage] = statement.kind === 'pipeline' && statement.stages.length === 1 ? statement.stages : [];
  if (stage?.kind === 'expression' && stage.redirections.length === 0) return evaluate(stage.expression, context);
  if (statement.kind === 'assignment')
    return assign(statement.target, statement.operator, await valueOf(statement.value, context), context);
  return collect(await gather(runStatement(statement, context)));
}
