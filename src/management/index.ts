/**
 * The management endpoint: proof of who calls, the server and its methods, the sessions of the management shell, and the
 * administration of the queues of all workers. Who calls it enters by `client/`; lines on a stopped state run in `store/`.
 */

export { acmeAdministration } from './acme-administration.ts';
export { auditWriter, openAdminAudit } from './audit/admin-audit.ts';
export { cmdletMethods } from './cmdlet-methods.ts';
export { edgeSyncFor } from './edge-sync-for.ts';
export { LdapConfigurationStore } from './ldap-configuration-store.ts';
export { prepareManagement } from './management-folder.ts';
export { type ManagementMethod, ManagementServer } from './management-server.ts';
export { tlsReportShelf } from './tls-report-shelf.ts';
export { FanOutAdministration } from './workers/transport-administration.ts';
export { WorkerCaller } from './workers/worker-caller.ts';
