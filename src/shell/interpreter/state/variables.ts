import { ShellError } from '../../values/shell-error.ts';
import type { Context } from './context.ts';
import { constants, type Scope } from './scope.ts';

/** The drive or scope of a variable's name, in lower case, and what is left. */
function parts(name: string): { prefix: string; rest: string } {
  const colon = name.indexOf(':');
  if (colon < 0) return { prefix: '', rest: name };
  return { prefix: name.slice(0, colon).toLowerCase(), rest: name.slice(colon + 1) };
}

function scopeOf(context: Context, prefix: string, name: string): Scope {
  if (prefix === '' || prefix === 'local' || prefix === 'private' || prefix === 'variable') return context.scope;
  if (prefix === 'global' || prefix === 'script') return context.scope.global;
  throw new ShellError(
    `Cannot find drive. A drive with the name '${prefix}' does not exist. To end the name before a colon, write \${${prefix}}:`,
    {
      id: 'DriveNotFound',
      category: 'ObjectNotFound',
      exception: 'DriveNotFoundException',
      target: name,
    },
  );
}

/** The value of `$name`; null for a variable that was never set. */
export function readVariable(context: Context, name: string): unknown {
  const { prefix, rest } = parts(name);
  if (prefix === 'env') return context.session.environment.get(rest.toUpperCase()) ?? null;
  const folded = rest.toLowerCase();
  const constant = constants.get(folded);
  if (constant !== undefined) return constant;
  if (folded === '?') return context.state.succeeded;
  if (folded === 'error') return context.session.errors;
  if (folded === 'psscriptroot') return context.source.file?.replace(/[/\\]?[^/\\]*$/, '') ?? '';
  if (folded === 'pscommandpath') return context.source.file ?? '';
  return scopeOf(context, prefix, name).get(folded === 'psitem' ? '_' : folded) ?? null;
}

/** Throws ShellError for constants and for drives that cannot be written. */
export function writeVariable(context: Context, name: string, value: unknown): void {
  const { prefix, rest } = parts(name);
  const folded = rest.toLowerCase();
  // `$null = …` takes a value away.
  if (folded === 'null') return;
  if (prefix === 'env' || folded === '?' || folded === 'error') {
    throw new ShellError(`Cannot overwrite variable ${name} because it is read-only or constant.`, {
      id: 'VariableNotWritable',
      category: 'WriteError',
      exception: 'SessionStateUnauthorizedAccessException',
      target: name,
    });
  }
  scopeOf(context, prefix, name).set(rest, value);
}
