import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileReason } from '../base/text/index.ts';
import { accountName } from '../processes/accounts/index.ts';
import type { StatePaths } from '../processes/index.ts';

/** A file system that does not answer for so long, in milliseconds, is not one to write logs to. */
const limitMs = 5_000;

/** File systems that hold no files of anybody, by the numbers of statfs(2): some take names and never give them back. */
const unfit: ReadonlyMap<number, string> = new Map([
  [0x9fa0, 'proc'],
  [0x6265_6572, 'sysfs'],
  [0x1cd1, 'devpts'],
  [0x0027_e0eb, 'cgroup'],
  [0x6367_7270, 'cgroup2'],
  [0x6462_6720, 'debugfs'],
  [0x7472_6163, 'tracefs'],
]);

/** Whether the account of this process could keep files in a folder: it is tried, and nothing is left behind. */
export class FolderTrial {
  readonly #paths: StatePaths;

  constructor(paths: StatePaths) {
    this.#paths = paths;
  }

  /** Why nothing can be kept below a path (relative ones lie in the state directory); undefined when it can. */
  async refusal(path: string): Promise<string | undefined> {
    const folder = resolve(this.#paths.root, path);
    const { directory, spool, certificates, run, management } = this.#paths;
    const taken = [directory, spool, certificates, run, management].find(
      (one) => !relative(one, folder).startsWith('..'),
    );
    if (taken !== undefined) return `${taken} is kept for other files of this server`;
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(() => late.resolve(`its file system did not answer for ${limitMs / 1000} s`), limitMs);
    try {
      return await Promise.race([tried(folder), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function tried(folder: string): Promise<string | undefined> {
  const made: string[] = [];
  try {
    const { there, missing } = await missingSteps(folder);
    const { type } = await statfs(there);
    const system = unfit.get(type);
    if (system !== undefined) return `${there} is a file system of the kernel (${system})`;
    // Step by step: mkdir of the runtime, recursive, never ends where a folder cannot be made and is not there either.
    for (const step of missing) {
      await mkdir(step, { mode: 0o700 });
      made.push(step);
    }
    await writeAndRemove(join(folder, `.edge-${randomUUID()}`));
    return undefined;
  } catch (error) {
    return await inWords(error as NodeJS.ErrnoException, folder);
  } finally {
    // One that somebody else put a file into meanwhile stays.
    for (const step of made.reverse()) await rmdir(step).catch(() => undefined);
  }
}

/** The lowest folder on the way that is there, and what is to be made below it, the highest first. */
async function missingSteps(folder: string): Promise<{ there: string; missing: readonly string[] }> {
  const missing: string[] = [];
  for (let there = folder; ; there = dirname(there)) {
    try {
      await stat(there);
      return { there, missing };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (there === dirname(there) || (code !== 'ENOENT' && code !== 'ENOTDIR')) throw error;
      missing.unshift(there);
    }
  }
}

async function writeAndRemove(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    // A full disk takes names, but no octets.
    await file.write('x');
    await file.sync();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function inWords(error: NodeJS.ErrnoException, folder: string): Promise<string> {
  const { code, path = '' } = error;
  const account = `the account '${await accountName(process.geteuid?.() ?? 0)}' of the service`;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `${account} may not write there`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `a file stands where a folder is needed${path === '' || path === folder ? '' : ` (${dirname(path)})`}`;
    default:
      return fileReason(error);
  }
}
