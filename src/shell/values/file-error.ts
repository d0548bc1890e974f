/** A file that cannot be read or written, as PowerShell says it. */
import { ShellError } from './shell-error.ts';

export function fileError(target: string, cause: unknown, category: 'ReadError' | 'WriteError'): ShellError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code !== 'ENOENT')
    return new ShellError(reason, { id: 'FileOpenFailure', category, exception: 'IOException', target, cause });
  if (category === 'ReadError')
    return new ShellError(`Cannot find path '${target}' because it does not exist.`, {
      id: 'PathNotFound',
      category: 'ObjectNotFound',
      exception: 'ItemNotFoundException',
      target,
      cause,
    });
  return new ShellError(`Could not find a part of the path '${target}'.`, {
    id: 'FileOpenFailure',
    category,
    exception: 'DirectoryNotFoundException',
    target,
    cause,
  });
}
