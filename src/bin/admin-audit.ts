/** Who changed what: the admin audit log of this process, and the account that it names. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/index.ts';
import { type AuditEntry } from '../cmdlets/index.ts';
import { AdminAuditLog } from '../logs/index.ts';
import { type StatePaths } from '../supervisor/index.ts';

/** The log of a state directory: the same for the running service and for the stopped store. */
export function openAdminAudit(paths: StatePaths): AdminAuditLog {
  return new AdminAuditLog(join(paths.logs, 'AdminAudit'), systemClock);
}

/** What every record of one shell has in common. */
export interface AuditOrigin {
  readonly server: string;
  readonly via: 'service' | 'store';
  /** Account that runs the lines. */
  readonly who: string;
}

/** Writes entries with their origin. Throws Error when the log cannot be written. */
export function auditWriter(log: AdminAuditLog, origin: AuditOrigin): (entry: AuditEntry) => void {
  return (entry) => log.write({ at: systemClock.now(), ...origin, ...entry });
}

/** The account of this process, and who became it by sudo: `root (alice by sudo)`. */
export function ownAccount(environment: NodeJS.ProcessEnv = process.env): string {
  return accountText(accountName(), environment['SUDO_USER']);
}

/** Only letters, digits and a few signs: the name goes into a log. */
export function accountText(account: string, sudoer = ''): string {
  const isName = /^[\w.@\\-]{1,64}$/.test(sudoer);
  return account === 'root' && isName && sudoer !== 'root' ? `${account} (${sudoer} by sudo)` : account;
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account that /etc/passwd does not list, as in containers.
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
