/** The door of who writes to the admin audit log: its folder, the form of its records, and who the account of a process is. */
export { auditWriter, openAdminAudit } from './admin-audit.ts';
export { accountText, ownAccount } from './own-account.ts';
