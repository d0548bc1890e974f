import type { ScriptBlock } from '../../values/script-block.ts';
import { type Context, inBlock } from '../state/context.ts';
import { runStatements } from '../state/engine.ts';
import { Leave } from '../state/leave.ts';
import { Scope } from '../state/scope.ts';

/** Runs a script block in the caller's own variables with `$_` set, as ForEach-Object does; all that it writes. */
export async function invokeBlock(context: Context, block: ScriptBlock, item: unknown): Promise<unknown[]> {
  return context.budget.nested(async () => {
    const before = context.scope.get('_');
    context.scope.set('_', item);
    const values: unknown[] = [];
    try {
      for await (const value of upToReturn(block, inBlock(context, block, context.scope))) values.push(value);
      return values;
    } finally {
      context.scope.set('_', before ?? null);
    }
  });
}

/** Runs a script block in a scope of its own, as `&` does, and passes on what it writes. */
export function callBlock(
  context: Context,
  block: ScriptBlock,
  variables: Readonly<Record<string, unknown>>,
): AsyncIterable<unknown> {
  const scope = new Scope(context.scope);
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  return context.budget.nestedStream(upToReturn(block, inBlock(context, block, scope)));
}

/** A `return` ends the block, not what runs it. */
async function* upToReturn({ body }: ScriptBlock, context: Context): AsyncGenerator<unknown> {
  try {
    yield* runStatements(body.statements, context);
  } catch (error) {
    if (!(error instanceof Leave) || error.how !== 'return') throw error;
  }
}
