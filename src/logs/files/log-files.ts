import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A file of a log. Its name says which hour it began in (UTC, yyyymmddhh) and which of that hour's files it is. */
export interface LogFile {
  readonly path: string;
  readonly name: string;
  readonly hour: string;
  readonly number: number;
  /** Compressed: it has `.zst` at the end, and a summary of what can be found in it. */
  readonly archived: boolean;
}

/** End of the name of a compressed file. */
export const archiveSuffix = '.zst';

/** Name of a file of a log that is being written. */
export function logFileName(prefix: string, hour: string, number: number): string {
  return `${prefix}${hour}-${number}.LOG`;
}

/** The hour of a time (milliseconds since 1970) as the names have it: yyyymmddhh, UTC. */
export function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 13).replace(/[-T]/g, '');
}

/** The files of one log, oldest first. A folder that is not there has none. Throws what the system says otherwise. */
export function listLogFiles(folder: string, prefix: string): LogFile[] {
  return logFilesAmong(namesIn(folder), folder, prefix);
}

/** The files of one log among the names of a folder, oldest first. */
export function logFilesAmong(names: readonly string[], folder: string, prefix: string): LogFile[] {
  const pattern = new RegExp(`^${prefix}(\\d{10})-(\\d{1,9})\\.LOG(\\.zst)?$`);
  const files = names.flatMap((name): LogFile[] => {
    const match = pattern.exec(name);
    if (match === null) return [];
    const [, hour = '', number = ''] = match;
    return [{ path: join(folder, name), name, hour, number: Number(number), archived: match[3] !== undefined }];
  });
  const archived = new Set(files.flatMap((file) => (file.archived ? [file.name] : [])));
  // A crash between the making of an archive and the removal of its source leaves both: the archive holds everything.
  const single = files.filter((file) => file.archived || !archived.has(`${file.name}${archiveSuffix}`));
  return single.sort((a, b) => (a.hour === b.hour ? a.number - b.number : a.hour < b.hour ? -1 : 1));
}

function namesIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // Nothing was logged there yet.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
  // A link or a named pipe with such a name is none of ours: reading it might lead elsewhere, or wait for ever.
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
