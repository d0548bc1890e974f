/** Who changed what: the admin audit log of this process. */
import { join } from 'node:path';
import { systemClock } from '../../base/index.ts';
import type { AuditEntry } from '../../cmdlets/index.ts';
import { AdminAuditLog } from '../../logs/admin-audit/index.ts';
import type { StatePaths } from '../../processes/state/index.ts';

/** The log of a state directory: the same for the running service and for the stopped store. */
export function openAdminAudit(paths: StatePaths): AdminAuditLog {
  return new AdminAuditLog(join(paths.logs, 'AdminAudit'), systemClock);
}

/** What every record of one shell has in common. */
export interface AuditOrigin {
  readonly server: string;
  readonly via: 'service' | 'store';
  /** Account that runs the lines, when none is told with an entry. */
  readonly who: string;
}

/** Writes entries with their origin. Throws Error when the log cannot be written. */
export function auditWriter(log: AdminAuditLog, origin: AuditOrigin): (entry: AuditEntry, account?: string) => void {
  return (entry, account = '') => {
    // It comes from outside this process: a name and nothing else, so that it cannot pass for more.
    const who = /^[\w.@\\() -]{1,160}$/.test(account) ? account : origin.who;
    log.write({ at: systemClock.now(), ...origin, who, ...entry });
  };
}
