import { constants } from 'node:fs';
import { access, lstat, statfs } from 'node:fs/promises';
import { makeFolder } from '../base/index.ts';

/** File systems of the kernel: they hold no files of ours, and answer as no disk does (statfs(2)). */
const kernelFileSystems: ReadonlySet<number> = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x64626720, 0x74726163,
]);

/**
 * Why logs cannot be written to a folder by the account of this process, in words; undefined: they can. The folder is made when it is
 * absent. The caller runs it as the account that will write the logs, when the path is set.
 */
export async function refusalOf(folder: string): Promise<string | undefined> {
  try {
    await makeFolder(folder);
    if (!(await lstat(folder)).isDirectory()) return `${folder} is no folder`;
    if (kernelFileSystems.has((await statfs(folder)).type)) return `${folder} is on a file system of the kernel`;
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `${folder} cannot be written by the account of the services: ${(error as Error).message}`;
  }
}
