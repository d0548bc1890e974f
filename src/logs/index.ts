/**
 * What happened and why: the catalogue of decisions, the logs in Exchange's form (message tracking, protocol, connectivity),
 * the decisions kept for `edge why`, and the service log. Rooms above emit; nothing here decides anything.
 */

export { AdminAuditLog, type AdminAuditQuestion, type AdminAuditRecord } from './admin-audit-log.ts';
export { archivedLogs } from './archived-logs.ts';
export { connectivityFields } from './connectivity-log.ts';
export { parseCsvLine } from './csv.ts';
export { parseQuestion } from './decision-question.ts';
export { type Chain, findChains } from './decision-search.ts';
export { type EdgeSyncLevel, EdgeSyncLog } from './edge-sync-log.ts';
export type {
  DecisionEvent,
  EventKind,
  EventOf,
  Journal,
  PassedOver,
} from './events.ts';
export type { LogLimits } from './files/line-log.ts';
export { LogArchiver } from './files/log-archiver.ts';
export { FileJournal, type JournalSettings } from './journal.ts';
export { protocolFields } from './protocol-log.ts';
export { eventKinds, sentenceOf } from './sentences.ts';
export { openServiceLog, type ServiceLog } from './service-log.ts';
export { trackingFields } from './tracking-log.ts';
export { searchTracking, type TrackingQuestion } from './tracking-search.ts';
