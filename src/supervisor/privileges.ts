import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** An account of the system. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Looks an account up by name or number in /etc/passwd. Throws RangeError when there is none. */
export function findAccount(name: string, passwd: string = readFileSync('/etc/passwd', 'utf8')): Account {
  for (const line of passwd.split('\n')) {
    const [login = '', , uid = '', gid = ''] = line.split(':');
    if (login !== '' && (login === name || uid === name)) return { name: login, uid: Number(uid), gid: Number(gid) };
  }
  throw new RangeError(`there is no account '${name}': create it, or name another with --user`);
}

/** The account that a service started by root runs as when --user names none: 'edge' where it exists, else 'nobody'. */
export function serviceAccount(user: string | undefined): Account {
  if (user !== undefined) return findAccount(user);
  try {
    return findAccount('edge');
  } catch {
    return findAccount('nobody');
  }
}

/** The topmost folder on the way to a path that the account may not enter, or the path itself; undefined: it gets there. */
export function barrier(path: string, { uid, gid }: Account): string | undefined {
  const above = dirname(path) === path ? undefined : barrier(dirname(path), { name: '', uid, gid });
  if (above !== undefined || uid === 0) return above;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & 1) === 1 ? undefined : path;
}

/** Gives up the rights of root for good. A no-op for whoever is not root. */
export function dropPrivileges(account: Account): void {
  if (process.getuid?.() !== 0 || account.uid === 0) return;
  process.setgroups?.([account.gid]);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  if (process.getuid?.() === 0) throw new Error(`the rights of root could not be given up for ${account.name}`);
}
