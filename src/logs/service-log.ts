import { destination, type Logger, pino } from 'pino';
import { escapedJson, longestLogged, printable } from '../base/index.ts';
import { openOwnLog } from './files/open-own-log.ts';
import { ServiceLogFiles } from './service-log-files.ts';

/** The service log of one process: JSON lines for the operator of the appliance, never mail content, never a secret. */
export interface ServiceLog {
  readonly log: Logger;
  /** Opens the file anew (SIGHUP, after it was moved away). */
  reopen(): void;
  flush(): void;
}

/** Names whose values are secrets wherever they stand in a logged object. */
const secrets = [
  'password',
  'userPassword',
  'pass',
  'secret',
  'credentials',
  'key',
  'privateKey',
  '*.password',
  '*.userPassword',
  '*.key',
  '*.privateKey',
];

/** Opens the service log. Without a path it goes to standard error. */
export function openServiceLog(options: { path?: string; process: string; level?: string }): ServiceLog {
  const { path } = options;
  const standardError = destination({ fd: 2, sync: true });
  let file: LogFile = (path === undefined ? undefined : openFile(path)) ?? standardError;
  const reopen = (): void => {
    // When it cannot be opened, lines go on into the old one.
    const fresh = path === undefined ? undefined : openFile(path);
    if (fresh === undefined) return;
    if (file !== standardError) file.end();
    file = fresh;
  };
  const files = path === undefined ? undefined : new ServiceLogFiles({ path, reopen });
  files?.watch();
  const log = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid, process: options.process },
      redact: { paths: secrets, censor: '***' },
      formatters: { log: boundedFields },
    },
    { write: (line) => void (files?.takes(line.length) !== false && file.write(escapedJson(line))) },
  );
  return { log, reopen, flush: () => file.flushSync() };
}

type LogFile = ReturnType<typeof destination>;

/** Undefined: it cannot be written. That must not end a mail service: the operator is told, and lines go to standard error. */
function openFile(path: string): LogFile | undefined {
  try {
    // The library would open by name, and follow a link: it gets an open file. Each line is there when the call returns: a write
    // under way in another thread is waited for neither by flushSync() nor by the end of the process, which the last line explains.
    const file = destination({ dest: openOwnLog(path), sync: true, minLength: 0 });
    file.once('error', sayUnwritable);
    file.on('error', () => {});
    return file;
  } catch (error) {
    sayUnwritable(error as Error);
    return undefined;
  }
}

function sayUnwritable(error: Error): void {
  process.stderr.write(`the service log cannot be written: ${error.message}\n`);
}

/** Fields of a line: texts in them come from clients and peers, and are cut. Errors are the program's own. */
function boundedFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, bounded(value, mostNested)]));
}

const mostNested = 4;
/** Values of a list that are told. */
const mostValues = 50;

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > longestLogged ? printable(value, longestLogged) : value;
  if (value === null || typeof value !== 'object' || value instanceof Error || depth === 0) return value;
  if (Array.isArray(value)) return value.slice(0, mostValues).map((one) => bounded(one, depth - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bounded(one, depth - 1)]));
}
