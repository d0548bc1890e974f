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
  const entry = entryOf(passwd, (login, uid) => login === name || uid === name);
  if (entry !== undefined) return { name: entry[0] ?? '', uid: Number(entry[2]), gid: Number(entry[3]) };
  throw new RangeError(`there is no account '${name}': create it, or name another with --user`);
}

/** A group of the system. */
export interface Group {
  readonly name: string;
  readonly gid: number;
}

/** Looks a group up by name or number, in /etc/group and then wherever else the system keeps groups. Throws RangeError. */
export async function findGroup(name: string): Promise<Group> {
  const group = listedGroup(name) ?? listedGroup(name, await getent('group', name));
  if (group === undefined) throw new RangeError(`there is no group '${name}': create it, or name another`);
  return group;
}

/** The group whose members may administer: the one named, else 'edge-admin' where it exists. Throws RangeError. */
export async function administrators(named: string | undefined): Promise<Group | undefined> {
  return named === undefined ? listedGroup('edge-admin') : findGroup(named);
}

function listedGroup(name: string, list: string = readFileSync('/etc/group', 'utf8')): Group | undefined {
  const entry = entryOf(list, (group, gid) => group === name || gid === name);
  return entry === undefined ? undefined : { name: entry[0] ?? '', gid: Number(entry[2]) };
}

/** Fields of the first entry that is meant, of a list as passwd(5) and group(5) have it: name, password, number, … */
function entryOf(list: string, isMeant: (name: string, id: string) => boolean): readonly string[] | undefined {
  return list
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name = '', , id = '']) => name !== '' && isMeant(name, id));
}

/** Name of a group, `gid <number>` when the system knows none. */
export async function groupName(gid: number): Promise<string> {
  return (await findGroup(String(gid)).catch(() => undefined))?.name ?? `gid ${gid}`;
}

/** Name of an account, `uid <number>` when the system knows none, or one that is no name for a log. */
export async function accountName(uid: number): Promise<string> {
  return (await listedAccount(uid)) ?? `uid ${uid}`;
}

/** Name that the system has for an account. Undefined: none, or one that is no name for a log. */
export async function listedAccount(uid: number): Promise<string | undefined> {
  // By number alone: a name may consist of digits.
  const listed = (list: string): string | undefined => entryOf(list, (_, id) => id === String(uid))?.[0];
  const name = listed(readFileSync('/etc/passwd', 'utf8')) ?? listed(await getent('passwd', String(uid))) ?? '';
  return /^[\w.@\\-]{1,64}$/.test(name) ? name : undefined;
}

/** Asks the system's name services (SSSD, winbind, …) for an entry; '' when there is none, or none of them answers in time. */
async function getent(database: 'passwd' | 'group', key: string): Promise<string> {
  // Accounts outside the files are rare: the module is loaded for them alone.
  const { execFile } = await import('node:child_process');
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('getent', [database, '--', key], { timeout: 2_000 }, (error, output) =>
    resolve(error === null ? output : ''),
  );
  return promise;
}

/** The account that a service started by root runs as: 'edge' when --user names none. Throws RangeError that says how to make it. */
export function serviceAccount(user: string | undefined): Account {
  if (user !== undefined) return findAccount(user);
  try {
    return findAccount('edge');
  } catch {
    throw new RangeError(
      "there is no account 'edge', which the services run as: useradd --system --home-dir /var/lib/edge --shell /usr/sbin/nologin edge",
    );
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
