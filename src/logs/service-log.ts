import { type DestinationStream, destination, type Logger, pino } from 'pino';
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
  const file =
    options.path === undefined
      ? undefined
      : destination({ dest: options.path, append: true, mkdir: true, sync: false, mode: 0o600, minLength: 0 });
  // A service log that cannot be written must not end a mail service; the operator is told once.
  file?.once(
    'error',
    (error: Error) => void process.stderr.write(`the service log cannot be written: ${error.message}\n`),
  );
  file?.on('error', () => {});
  const { path } = options;
  if (file !== undefined && path !== undefined) new ServiceLogFiles({ path, reopen: () => file.reopen() }).watch();
  const log = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid, process: options.process },
      redact: { paths: secrets, censor: '***' },
    },
    (file ?? destination({ fd: 2, sync: true })) as DestinationStream,
  );
  return { log, reopen: () => file?.reopen(), flush: () => file?.flushSync() };
}
