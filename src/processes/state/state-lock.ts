import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOwnFile } from './own-file.ts';
import type { StatePaths } from './state-folder.ts';

/** Somebody else runs on the state directory. */
export class StateLockedError extends Error {
  override readonly name = 'StateLockedError';
}

/**
 * Takes the state directory until this process ends or releases it. Throws StateLockedError when it is taken. `holder`: the
 * process on whose life the lock depends, when that is not this one.
 */
export function lockStateFolder(paths: Pick<StatePaths, 'root'>, holder = process.pid): Disposable {
  return lockFile(join(paths.root, 'edge.lock'), paths.root, holder);
}

/** The same with a lock file elsewhere; `what` is the thing that it guards. */
export function lockFile(path: string, what: string, holder = process.pid): Disposable {
  const mine = `${holder} ${processStart(holder)}\n`;
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 3) throw error;
    }
    const found = holderIn(path);
    // A part of the same service.
    if (found === holder && holder !== process.pid) return { [Symbol.dispose]: () => undefined };
    if (found !== undefined) throw new StateLockedError(`${what} is in use by process ${found}`);
    // Its holder died without releasing it.
    rmSync(path, { force: true });
  }
}

/** The process that holds the state directory now, if it lives. Throws StateError for a lock that is no regular file. */
export function lockHolder(paths: Pick<StatePaths, 'root'>): number | undefined {
  return holderIn(join(paths.root, 'edge.lock'));
}

function holderIn(path: string): number | undefined {
  const [pid = '', start = ''] = (readOwnFile(path) ?? '').trim().split(' ');
  if (!/^\d{1,10}$/.test(pid)) return undefined;
  return processStart(Number(pid)) === start && start !== '' ? Number(pid) : undefined;
}

/** When a process began (clock ticks since boot), so that a pid used again is not mistaken; '' when there is none. */
export function processStart(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
