import { renderText } from '../format/output.ts';
import { type Redirection } from '../language/ast.ts';
import { toText } from '../values/text.ts';
import { type Context } from './context.ts';
import { evaluate } from './evaluate.ts';
import { silenced } from './streams.ts';

const streamNames = { '2': 'error', '3': 'warning', '4': 'verbose' } as const;

/** A context whose side streams are silent where `2> $null` and its kin say so. */
export function redirected(redirections: readonly Redirection[], context: Context): Context {
  const names = redirections.flatMap(({ stream }) => {
    if (stream === '*') return ['error', 'warning', 'verbose'] as const;
    return stream === '1' ? [] : [streamNames[stream]];
  });
  return names.length === 0 ? context : { ...context, streams: silenced(context.streams, new Set(names)) };
}

/** Writes objects as text into the file that `>` names; `$null` takes them away. */
export async function writeRedirected(
  objects: AsyncIterable<unknown>,
  { target, append }: Redirection,
  context: Context,
): Promise<void> {
  const path = await evaluate(target, context);
  let text = '';
  for await (const chunk of renderText(objects, { width: context.render.width, colour: false })) text += chunk;
  if (path === null || path === undefined) return;
  await context.session.files.write(toText(path), Buffer.from(text), append);
}
