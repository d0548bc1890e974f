import { join, resolve } from 'node:path';
import type { Snapshot } from '../config/index.ts';
import type { JournalSettings, LogLimits } from '../logs/index.ts';
import type { StatePaths } from '../processes/index.ts';

/** Where decisions are kept; the one log that Exchange has not. */
export function decisionFolder(paths: StatePaths): string {
  return join(paths.logs, 'Decisions');
}

/** Where the message tracking log is. */
export function trackingFolder(snapshot: Snapshot, paths: StatePaths): string {
  return journalSettings(snapshot, paths).tracking.limits.folder;
}

/** Octets. */
const routingFileSize = 10 * 1024 ** 2;

/** Limits of the logs as the transport service object sets them. Relative paths lie below the state directory. */
export function journalSettings({ server }: Snapshot, paths: StatePaths): JournalSettings {
  const limits = (
    enabled: boolean,
    path: string | null,
    maxAge: number,
    maxDirectorySize: number,
    maxFileSize: number,
  ): LogLimits => ({
    enabled: enabled && path !== null && path !== '',
    folder: resolve(paths.root, path ?? ''),
    maxAge,
    maxDirectorySize,
    maxFileSize,
  });
  return {
    tracking: {
      limits: limits(
        server.messageTrackingLogEnabled,
        server.messageTrackingLogPath,
        server.messageTrackingLogMaxAge,
        server.messageTrackingLogMaxDirectorySize,
        server.messageTrackingLogMaxFileSize,
      ),
      serverName: server.name,
      subjectLogging: server.messageTrackingLogSubjectLoggingEnabled,
    },
    receiveProtocol: limits(
      true,
      server.receiveProtocolLogPath,
      server.receiveProtocolLogMaxAge,
      server.receiveProtocolLogMaxDirectorySize,
      server.receiveProtocolLogMaxFileSize,
    ),
    sendProtocol: limits(
      true,
      server.sendProtocolLogPath,
      server.sendProtocolLogMaxAge,
      server.sendProtocolLogMaxDirectorySize,
      server.sendProtocolLogMaxFileSize,
    ),
    connectivity: limits(
      server.connectivityLogEnabled,
      server.connectivityLogPath,
      server.connectivityLogMaxAge,
      server.connectivityLogMaxDirectorySize,
      server.connectivityLogMaxFileSize,
    ),
    records: {
      agent: limits(
        server.agentLogEnabled,
        server.agentLogPath,
        server.agentLogMaxAge,
        server.agentLogMaxDirectorySize,
        server.agentLogMaxFileSize,
      ),
      dns: limits(
        server.dnsLogEnabled,
        server.dnsLogPath,
        server.dnsLogMaxAge,
        server.dnsLogMaxDirectorySize,
        server.dnsLogMaxFileSize,
      ),
      queue: limits(
        true,
        server.queueLogPath,
        server.queueLogMaxAge,
        server.queueLogMaxDirectorySize,
        server.queueLogMaxFileSize,
      ),
      resource: limits(
        server.resourceLogEnabled,
        server.resourceLogPath,
        server.resourceLogMaxAge,
        server.resourceLogMaxDirectorySize,
        server.resourceLogMaxFileSize,
      ),
      // Exchange has no limit of its own for the size of these files.
      routing: limits(
        true,
        server.routingTableLogPath,
        server.routingTableLogMaxAge,
        server.routingTableLogMaxDirectorySize,
        routingFileSize,
      ),
      statistics: limits(
        true,
        server.serverStatisticsLogPath,
        server.serverStatisticsLogMaxAge,
        server.serverStatisticsLogMaxDirectorySize,
        server.serverStatisticsLogMaxFileSize,
      ),
    },
    decisionFolder: decisionFolder(paths),
  };
}
