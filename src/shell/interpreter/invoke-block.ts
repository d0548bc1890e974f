import { type ScriptBlock } from '../values/script-block.ts';
import { type Context, inBlock } from './context.ts';
import { gather } from './evaluate.ts';
import { Scope } from './scope.ts';
import { runStatements } from './statements.ts';

/**
 * Runs a script block and gives all that it writes. With an `item`, the block runs in the caller's own variables with `$_`
 * set, as ForEach-Object runs it; without, in a scope of its own, as `&` does.
 */
export async function invokeBlock(
  context: Context,
  block: ScriptBlock,
  { item, args = [] }: { item?: unknown; args?: readonly unknown[] },
): Promise<unknown[]> {
  return context.budget.nested(async () => {
    if (item === undefined) {
      const scope = new Scope(context.scope);
      scope.set('args', [...args]);
      return gather(runStatements(block.body.statements, inBlock(context, block, scope)));
    }
    const before = context.scope.get('_');
    context.scope.set('_', item);
    try {
      return await gather(runStatements(block.body.statements, inBlock(context, block, context.scope)));
    } finally {
      context.scope.set('_', before ?? null);
    }
  });
}
