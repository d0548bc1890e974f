import { existsSync } from 'node:fs';
import type { Account } from '../accounts/privileges.ts';

/** Where util-linux puts it. */
const setprivPaths = ['/usr/bin/setpriv', '/bin/setpriv'];

/** Options of setpriv for a process of this account. Root drops everything; others can only promise to gain nothing. */
function setprivOptions(account: Account | undefined, groups: readonly number[], isRoot: boolean): string[] {
  const always = ['--no-new-privs', '--pdeathsig=KILL'];
  if (!isRoot || account === undefined || account.uid === 0) return always;
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`];
  const others = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`;
  return [...ids, others, '--bounding-set=-all', '--inh-caps=-all', ...always];
}

/**
 * A command as it is run so that it starts as the account, without a way to gain rights. Undefined: the account of this process.
 * Throws Error when root has no setpriv: without it the process would begin as root.
 */
export function asAccount(
  account: Account | undefined,
  command: readonly string[],
  groups: readonly number[] = [],
): [file: string, args: string[]] {
  const isRoot = process.getuid?.() === 0;
  const setpriv = setprivPaths.find((path) => existsSync(path));
  if (setpriv === undefined && isRoot) throw new Error('setpriv is not installed: install the package util-linux');
  const [file = '', ...args] =
    setpriv === undefined ? command : [setpriv, ...setprivOptions(account, groups, isRoot), ...command];
  return [file, args];
}
