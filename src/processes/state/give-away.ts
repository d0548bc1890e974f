/**
 * Gives a folder that root made to an account, with all that is in it. By descriptors alone: what is opened without following a
 * link, and is then seen to be root's own, a folder or a file with one name, is what gets the other owner, whatever stands at its path.
 */
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import type { Account } from '../accounts/privileges.ts';
import { StateError } from './own-file.ts';

/** What is done with each folder and file that passed, the innermost first, and with sockets, which a service that ended left behind. */
interface Visitor {
  found(fd: number): void;
  socket(path: string): void;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** Throws StateError for what root did not make, before anything is changed. The folder itself is given away last. */
export function giveAway(folder: string, account: Account): void {
  if (!existsSync('/proc/self/fd'))
    throw new StateError(`${folder} cannot be given to '${account.name}' without /proc: mount it`);
  const fd = openSync(folder, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  try {
    visit(fd, folder, { found: () => undefined, socket: () => undefined });
    visit(fd, folder, { found: (one) => fchownSync(one, account.uid, account.gid), socket: unlinkSync });
  } finally {
    closeSync(fd);
  }
}

/** `path` is for people. */
function visit(fd: number, path: string, visitor: Visitor): void {
  const stat = fstatSync(fd);
  refuseOdd(stat, path);
  if (stat.isDirectory()) for (const name of readdirSync(held(fd))) visitBelow(fd, name, path, visitor);
  visitor.found(fd);
}

function visitBelow(folder: number, name: string, above: string, visitor: Visitor): void {
  const [place, path] = [`${held(folder)}/${name}`, `${above}/${name}`];
  // A device must not even be opened.
  const stat = lstatSync(place);
  refuseOdd(stat, path);
  if (stat.isSocket()) return visitor.socket(place);
  const fd = openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    visit(fd, path, visitor);
  } finally {
    closeSync(fd);
  }
}

const held = (fd: number): string => `/proc/self/fd/${fd}`;

function refuseOdd(stat: Stats, path: string): void {
  const reason = oddity(stat);
  if (reason !== undefined) throw new StateError(`${path} ${reason}: remove it`);
}

function oddity(stat: Stats): string | undefined {
  if (stat.uid !== 0) return `belongs to the account ${stat.uid}, in a folder of root's`;
  if (stat.isDirectory() || stat.isSocket()) return undefined;
  if (!stat.isFile()) return 'is a link, a pipe or a device';
  return stat.nlink > 1 ? 'has a second name elsewhere' : undefined;
}
