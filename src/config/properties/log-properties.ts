/** Rows for the settings that every log has. Paths are relative to the state directory unless they begin with '/'. */
import { type Property, property } from './property.ts';
import { byteSize, orUnlimited, requiredText, text, timeSpan } from './syntaxes.ts';

const aDay = 86_400;
/** 24855.03:14:07, the largest time span that Exchange takes for a log. */
const longestAge = 2_147_483_647;
/** 909.5 TB. */
const largestLog = 999_999_999_999_999;

/** A path: relative ones lie in the state directory and may not leave it. */
export const pathSyntax = requiredText('LocalLongFullPath', staying);

/** The same where none is named at first. */
export const optionalPath = text('LocalLongFullPath', staying);

function staying(path: string): string {
  if (path.split(/[\\/]/).includes('..')) throw new RangeError(`'${path}' leaves its folder with '..'`);
  return path;
}

/** Files older than so many days are deleted; 0: never. */
export function logAge(attribute: string, days: number): Property<number> {
  return property({
    attribute,
    syntax: timeSpan(0, longestAge),
    default: days * aDay,
    help: 'Age at which files are deleted; 00:00:00: never.',
  });
}

/** Size of the folder in MB above which the oldest files are deleted. */
export function logFolder(attribute: string, megabytes: number): Property<number> {
  return property({
    attribute,
    syntax: orUnlimited(byteSize(1, largestLog)),
    default: megabytes * 1024 ** 2,
    help: 'Size of the folder above which the oldest files are deleted.',
  });
}

/** Size of a file in MB at which the next one is begun. */
export function logFile(attribute: string, megabytes: number): Property<number> {
  return property({
    attribute,
    syntax: orUnlimited(byteSize(1, largestLog)),
    default: megabytes * 1024 ** 2,
    help: 'Size at which a new file is begun.',
  });
}

/** Where the files are. */
export function logPath(attribute: string, path: string, edgePath?: string): Property<string> {
  const row = { attribute, syntax: pathSyntax, default: path, help: 'Folder of the files.' };
  return property(edgePath === undefined ? row : { ...row, edgeDefault: edgePath });
}
