import { convertTo, toBoolean } from '../../values/convert.ts';
import { getProperty } from '../../values/members.ts';
import { ScriptBlock, TypeValue } from '../../values/script-block.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { invokeBlock } from '../commands/invoke-block.ts';
import type { Context } from '../state/context.ts';
import { collect, enumerate } from '../state/engine.ts';
import { numberOf } from './arithmetic.ts';

/** `$list.Where({…}, mode, count)` and `$list.ForEach({…})`, which every value has (about_Arrays); undefined for other methods. */
export async function collectionMethod(
  name: string,
  value: unknown,
  args: readonly unknown[],
  context: Context,
): Promise<unknown> {
  const folded = name.toLowerCase();
  if (folded === 'where' && args[0] instanceof ScriptBlock) return where(value, args[0], args.slice(1), context);
  if (folded === 'foreach' && args.length > 0) return forEach(value, args[0], context);
  return undefined;
}

async function where(
  value: unknown,
  test: ScriptBlock,
  [mode = 'Default', count]: readonly unknown[],
  context: Context,
): Promise<unknown[]> {
  const [kept, others]: [unknown[], unknown[]] = [[], []];
  for (const item of enumerate(value)) {
    (toBoolean(collect(await invokeBlock(context, test, item))) ? kept : others).push(item);
  }
  const limit = count === undefined || numberOf(count) === 0 ? undefined : numberOf(count);
  switch (toText(mode).toLowerCase()) {
    case 'default':
      return kept.slice(0, limit);
    case 'first':
      return kept.slice(0, limit ?? 1);
    case 'last':
      return kept.slice(-(limit ?? 1));
    case 'split':
      return [kept, others];
    default:
      throw new ShellError(
        `The mode '${toText(mode)}' is outside the language of this shell: Default, First, Last, Split.`,
        {
          id: 'NotSupportedInThisShell',
          category: 'NotImplemented',
          target: mode,
        },
      );
  }
}

async function forEach(value: unknown, what: unknown, context: Context): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const item of enumerate(value)) {
    if (what instanceof ScriptBlock) results.push(...(await invokeBlock(context, what, item)));
    else results.push(what instanceof TypeValue ? convertTo(what.name, item) : getProperty(item, toText(what)));
  }
  return results;
}
