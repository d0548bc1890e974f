import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { StateError } from './own-file.ts';

/** Things looked at, at the most: a start must not wait for a folder that somebody filled. */
const mostThings = 50_000;

/**
 * Looks through folders of the state, as the account that owns them. Throws StateError for the first thing that this program
 * does not make there: a link, a pipe, a device; a folder or file of another account, but for files among the logs, which other
 * programs rotate.
 */
export function refuseOddThings(folders: readonly string[], logs: string): void {
  let left = mostThings;
  const look = (path: string, isLog: boolean): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    // A file may go between two looks.
    if (stat === undefined || left-- <= 0) return;
    const reason = oddity(stat, isLog);
    if (reason !== undefined) throw new StateError(`${path} ${reason}`);
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(path)) if (name !== 'lost+found') look(join(path, name), isLog);
  };
  for (const path of folders) look(path, false);
  look(logs, true);
}

function oddity(stat: Stats, isLog: boolean): string | undefined {
  if (stat.isSymbolicLink()) return 'is a link: put what it names in its place';
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSocket()) return 'is a pipe or a device: remove it';
  const mayBeAnothers = isLog && stat.isFile();
  if (stat.uid === process.getuid?.() || mayBeAnothers) return undefined;
  return `belongs to the account ${stat.uid}: remove it, or give it to the account that owns the state`;
}
