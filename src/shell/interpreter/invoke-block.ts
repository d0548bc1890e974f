import { type ScriptBlock } from '../values/script-block.ts';
import { type Context, inBlock } from './context.ts';
import { Leave } from './leave.ts';
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
      return upToReturn(runStatements(block.body.statements, inBlock(context, block, scope)));
    }
    const before = context.scope.get('_');
    context.scope.set('_', item);
    try {
      return await upToReturn(runStatements(block.body.statements, inBlock(context, block, context.scope)));
    } finally {
      context.scope.set('_', before ?? null);
    }
  });
}

/** Everything that comes out; a `return` ends the block, not what runs it. */
async function upToReturn(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  try {
    for await (const value of source) values.push(value);
  } catch (error) {
    if (!(error instanceof Leave) || error.how !== 'return') throw error;
  }
  return values;
}
