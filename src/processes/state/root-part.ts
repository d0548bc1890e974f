/**
 * What root does with a state directory. Nothing inside a folder that another account owns: such an account could put a link in
 * root's way at any moment. Root makes the top folder, or checks it; all below is made by the account itself.
 */
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Account, dropPrivileges, findAccount } from '../accounts/privileges.ts';
import { giveAway } from './give-away.ts';
import { StateError } from './own-file.ts';

const sticky = 0o1000;

/**
 * The path with every link above it resolved. Throws StateError when anyone but root could change what it names: each folder above
 * belongs to root and is writable by root alone, or is sticky (as /tmp) and what comes next belongs to root.
 */
function checkedWay(path: string): string {
  const way = join(realpathSync(dirname(path)), basename(path));
  for (let next = way, above = dirname(way); next !== above; next = above, above = dirname(above)) {
    const stat = lstatSync(above);
    if (stat.uid !== 0)
      throw new StateError(`${above} does not belong to root, who may not rely on it: choose another --state`);
    if ((stat.mode & 0o022) === 0) continue;
    const step = lstatSync(next, { throwIfNoEntry: false });
    const isSafe = (stat.mode & sticky) !== 0 && (step === undefined || step.uid === 0);
    if (!isSafe) throw new StateError(`others than root may write in ${above}: choose another --state`);
  }
  return way;
}

/**
 * Makes the top folder for the account, or checks that it is the account's. One that root made, and that nobody else could ever
 * enter, is given to the account with all that is in it. Throws StateError.
 */
export function claimState(path: string, account: Account): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const way = checkedWay(path);
  const stat = lstatSync(way, { throwIfNoEntry: false });
  if (stat === undefined) mkdirSync(way, { mode: 0o700 });
  else if (!stat.isDirectory()) throw new StateError(`${path} is no folder: remove it, or choose another --state`);
  else if (stat.uid === account.uid) return;
  else if (stat.uid !== 0)
    throw new StateError(
      `${path} belongs to the account ${stat.uid}, not to '${account.name}': start with --user ${stat.uid}, or copy it with\n  ${copyCommand(way, accountOf(stat.uid, stat.gid), account)}\nand start with --state ${way}-${account.name}`,
    );
  else if ((stat.mode & 0o077) !== 0)
    throw new StateError(`others than root may enter ${path}, which is root's: chmod 700 ${path}`);
  // Nobody but root can be in it until the last step, which gives the top folder away.
  giveAway(way, account);
}

/**
 * The line by which an administrator copies a state for another account: the old one reads, the new one writes, and root, who follows
 * neither's links, only makes the new folder. What belongs to a running service stays behind.
 */
function copyCommand(path: string, from: Account, to: Account): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const target = quoted(`${path}-${to.name}`);
  const as = ({ uid, gid }: Account): string => `setpriv --reuid=${uid} --regid=${gid} --clear-groups`;
  const left = ['edge.lock', 'run', 'management', 'cache'].map((name) => `--exclude=./${name}`).join(' ');
  const made = `install -d -m 700 -o ${to.uid} -g ${to.gid} ${target}`;
  return `${made} && ${as(from)} tar -C ${quoted(path)} ${left} -cf - . | ${as(to)} tar -C ${target} -xf -`;
}

/** The account that owns a state directory, when root asks and it is another one. Throws StateError for a way that root may not rely on. */
export function otherOwner(path: string): Account | undefined {
  if (process.getuid?.() !== 0 || lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const stat = lstatSync(checkedWay(path));
  if (!stat.isDirectory()) throw new StateError(`${path} is no folder: remove it, or choose another --state`);
  return stat.uid === 0 ? undefined : accountOf(stat.uid, stat.gid);
}

/** The primary group comes from the system: that of the folder may be the administrators'. */
function accountOf(uid: number, gid: number): Account {
  try {
    return findAccount(String(uid));
  } catch {
    return { name: `uid ${uid}`, uid, gid };
  }
}

/** Makes root the owner of the state for the rest of this process, before anything in it is opened. A no-op for others. */
export function becomeOwner(path: string): void {
  const owner = otherOwner(path);
  if (owner === undefined) return;
  process.umask(0o077);
  dropPrivileges(owner);
}
