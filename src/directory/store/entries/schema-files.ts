import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Schema } from '../../../ldap/index.ts';

/** Text files of a folder with the ending `.ldif`, in order of their names. */
export async function readLdifFolder(folder: string): Promise<{ readonly name: string; readonly text: string }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ldif')).sort();
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}

/** The schema of a folder (`ldap/schema`). Throws RangeError that names the file. */
export async function loadSchema(folder: string): Promise<Schema> {
  return Schema.fromLdif(await readLdifFolder(folder));
}
