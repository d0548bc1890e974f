/** The key of the address hashes on the edge: a file of mode 0600, outside the directory, its exports and its logs. */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../base/index.ts';

/** Its path below the folder of EdgeSync. */
export const recipientKeyFile = (folder: string): string => join(folder, 'recipient-key');

/** Writes it, or removes it. */
export async function keepRecipientKey(path: string, key: Buffer | undefined): Promise<void> {
  if (key === undefined) return rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, `${key.toString('base64')}\n`);
}

/** The key; undefined without one. */
export function readRecipientKey(path: string): Buffer | undefined {
  try {
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Changes whenever the file does; '' without one. */
export function recipientKeyVersion(path: string): string {
  try {
    const { ino, mtimeMs } = statSync(path);
    return `${ino} ${mtimeMs}`;
  } catch {
    // Not there: no key.
    return '';
  }
}
