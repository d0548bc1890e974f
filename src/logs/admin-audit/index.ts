/** The door of who writes the admin audit log, and loads none of the other logs for it. */
export { AdminAuditLog, type AdminAuditRecord } from '../admin-audit-log.ts';
