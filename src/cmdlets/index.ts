/**
 * The cmdlets: one engine for Get-, New-, Set- and Remove- of every object table (`objects/`), queues, messages and what became of
 * them (`mail-flow/`), and how any of them is run (`running/`). The folder itself holds what a cmdlet is and all of them by name.
 * Each is a value with its parameters; whoever runs it (shell, console, API) finds it here, binds and calls it. Leaves out: the
 * language and the formatting (`shell/`), how the directory and the workers are reached (`CmdletContext`).
 */

export type { CmdletHost, CmdletRequest, CmdletRunner } from './calling/cmdlet-call.ts';
export { SecureString } from './calling/secure-string.ts';
export { fromWire, toWire } from './calling/wire-values.ts';
export { cmdletCatalogue } from './catalogue.ts';
export type { EdgeSyncAdministration } from './edge-sync-administration.ts';

export { parseOpath } from './mail-flow/opath.ts';
export { LocalCmdletRunner } from './running/cmdlet-runner.ts';
export {
  type AcmeAdministration,
  type AuditEntry,
  type AuditedChange,
  type AuditTrail,
  type BoundParameters,
  type Cmdlet,
  type CmdletCatalogue,
  type CmdletContext,
  type CmdletEnvironment,
  CmdletError,
  CmdletObject,
  type ConfigurationStore,
  type ConfigurationWrite,
  type Operation,
  type Parameter,
  type ServiceFolders,
  type TlsReportShelf,
} from './runtime.ts';
export type {
  MessageAction,
  MessageInfo,
  PipelineStage,
  QueueAction,
  QueueInfo,
  TrackingLog,
  TrackingRecord,
  TransportAdministration,
  WorkerResource,
} from './transport-administration.ts';
export { UtcTime } from './utc-time.ts';
