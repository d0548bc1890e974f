import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hourOf, logFileName, logFilesAmong } from './log-files.ts';
import type { LogBounds } from './prune.ts';

/**
 * Appends one line to the newest file of a log before it returns: for records without which nothing may happen, in a folder that no
 * administrator chooses. Throws what the system says, or Error for what is no regular file.
 */
export function appendNow(
  bounds: LogBounds & { readonly maxFileSize: number },
  prefix: string,
  line: string,
  nowMs: number,
): void {
  const { folder, maxFileSize } = bounds;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const hour = hourOf(nowMs);
  const files = logFilesAmong(readdirSync(folder), folder, prefix);
  const last = files.findLast((file) => file.hour === hour);
  const isFull = last !== undefined && statSync(last.path).size >= maxFileSize;
  const number = last === undefined ? 1 : isFull ? last.number + 1 : last.number;
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const path = join(folder, logFileName(prefix, hour, number));
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is no regular file`);
    writeSync(file, `${line}\r\n`);
  } finally {
    closeSync(file);
  }
  if (last === undefined || isFull) pruneNow(bounds, prefix, nowMs);
}

function pruneNow({ folder, maxAge, maxDirectorySize }: LogBounds, prefix: string, nowMs: number): void {
  let total = 0;
  for (const [age, { path }] of logFilesAmong(readdirSync(folder), folder, prefix).reverse().entries()) {
    const stat = statSync(path, { throwIfNoEntry: false });
    total += stat?.size ?? 0;
    const tooOld = maxAge > 0 && nowMs - (stat?.mtimeMs ?? 0) > maxAge * 1000;
    if (age > 0 && (tooOld || total > maxDirectorySize)) rmSync(path, { force: true });
  }
}
