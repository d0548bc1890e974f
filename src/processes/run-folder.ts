import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StateError } from './state/own-file.ts';
import type { StatePaths } from './state/state-folder.ts';

/** Root's own notes about services that run: process ids and locks. No other account may write here, or read. */
const rootsFolder = '/run/edge';

/**
 * Folder for what a supervisor notes about its processes: root's lies outside the state, which belongs to another account; others
 * use the state itself. Throws StateError when the folder is not ours alone.
 */
export function supervisorFolder(paths: Pick<StatePaths, 'root' | 'run'>, isRoot = process.getuid?.() === 0): string {
  if (!isRoot) return own(paths.run);
  own(rootsFolder);
  return own(join(rootsFolder, createHash('sha256').update(paths.root).digest('hex').slice(0, 16)));
}

function own(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0)
    throw new StateError(`${path} must be a folder that belongs to this account alone: remove it`);
  return path;
}
