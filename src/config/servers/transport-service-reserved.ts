/** Rows of Get-TransportService that Exchange reserves for itself: shown with their defaults, set by no cmdlet here. */

import { pathSyntax } from '../properties/log-properties.ts';
import { property } from '../properties/property.ts';
import { byteSize, integer, oneOf, orUnlimited, timeSpan, yesNo } from '../properties/syntaxes.ts';

const reserved = { notImplementedYet: true, help: 'Reserved by Exchange.' } as const;
const MB = 1024 ** 2;
/** Bits of msExchContentAggregationFlags; ours. */
const syncFlags = 'msExchContentAggregationFlags';
/** Bits of msExchTransportReservedLogFlags; ours. */
const logFlags = 'msExchTransportReservedLogFlags';

const age = (attribute: string, days: number) =>
  property({ attribute, syntax: timeSpan(0, 2_147_483_647), default: days * 86_400, ...reserved });
const size = (attribute: string, megabytes: number) =>
  property({ attribute, syntax: orUnlimited(byteSize(1, 999_999_999_999_999)), default: megabytes * MB, ...reserved });
const path = (attribute: string, folder: string) =>
  property({ attribute, syntax: pathSyntax, default: folder, ...reserved });
const on = (attribute: string, bit: number) => property({ attribute, bit, syntax: yesNo, default: false, ...reserved });
const count = (attribute: string, value: number) =>
  property({ attribute, syntax: integer(), default: value, ...reserved });

/** The rows. */
export const reservedTransportProperties = {
  requestBrokerLogEnabled: on(logFlags, 0),
  requestBrokerLogMaxAge: age('msExchTransportRequestBrokerLogMaxAge', 7),
  requestBrokerLogMaxDirectorySize: size('msExchTransportRequestBrokerLogMaxDirectorySize', 250),
  requestBrokerLogMaxFileSize: size('msExchTransportRequestBrokerLogMaxFileSize', 10),
  requestBrokerLogPath: path('msExchTransportRequestBrokerLogPath', 'logs/RequestBroker'),
  transportHttpLogEnabled: on(logFlags, 2),
  transportHttpLogMaxAge: age('msExchTransportHttpLogMaxAge', 7),
  transportHttpLogMaxDirectorySize: size('msExchTransportHttpLogMaxDirectorySize', 250),
  transportHttpLogMaxFileSize: size('msExchTransportHttpLogMaxFileSize', 10),
  transportHttpLogPath: path('msExchTransportHttpLogPath', 'logs/Http'),
  transportMaintenanceLogEnabled: on(logFlags, 3),
  transportMaintenanceLogMaxAge: age('msExchTransportMaintenanceLogMaxAge', 7),
  transportMaintenanceLogMaxDirectorySize: size('msExchTransportMaintenanceLogMaxDirectorySize', 250),
  transportMaintenanceLogMaxFileSize: size('msExchTransportMaintenanceLogMaxFileSize', 10),
  transportMaintenanceLogPath: path('msExchTransportMaintenanceLogPath', 'logs/Maintenance'),
  wlmLogMaxAge: age('msExchTransportWlmLogMaxAge', 7),
  wlmLogMaxDirectorySize: size('msExchTransportWlmLogMaxDirectorySize', 250),
  wlmLogMaxFileSize: size('msExchTransportWlmLogMaxFileSize', 10),
  wlmLogPath: path('msExchTransportWlmLogPath', 'logs/WLM'),
  transportSyncEnabled: on(syncFlags, 0),
  transportSyncPopEnabled: on(syncFlags, 1),
  windowsLiveHotmailTransportSyncEnabled: on(syncFlags, 2),
  transportSyncExchangeEnabled: on(syncFlags, 3),
  transportSyncImapEnabled: on(syncFlags, 4),
  transportSyncAccountsPoisonDetectionEnabled: on(syncFlags, 5),
  transportSyncLogEnabled: on(syncFlags, 6),
  transportSyncHubHealthLogEnabled: on(syncFlags, 7),
  transportSyncAccountsPoisonAccountThreshold: count('msExchSyncAccountsPoisonAccountThreshold', 2),
  transportSyncAccountsPoisonItemThreshold: count('msExchSyncAccountsPoisonItemThreshold', 2),
  transportSyncAccountsSuccessivePoisonItemThreshold: count('msExchSyncAccountsSuccessivePoisonItemsThreshold', 3),
  transportSyncLogFilePath: path('msExchSyncLogFilePath', 'logs/SyncHub'),
  transportSyncLogLoggingLevel: property({
    attribute: 'msExchSyncLogLoggingLevel',
    syntax: { ...oneOf(['None', 'Information', 'Verbose', 'RawData', 'Debugging']), type: 'SyncLogLoggingLevel' },
    default: 'None',
    ...reserved,
  }),
  transportSyncLogMaxAge: age('msExchSyncLogAgeQuotaInHours', 30),
  transportSyncLogMaxDirectorySize: size('msExchSyncLogDirectorySizeQuota', 10_240),
  transportSyncLogMaxFileSize: size('msExchSyncLogPerFileSizeQuota', 10),
  transportSyncHubHealthLogFilePath: path('msExchSyncHubHealthLogFilePath', 'logs/SyncHubHealth'),
  transportSyncHubHealthLogMaxAge: age('msExchSyncHubHealthLogAgeQuotaInHours', 30),
  transportSyncHubHealthLogMaxDirectorySize: size('msExchSyncHubHealthLogDirectorySizeQuota', 10_240),
  transportSyncHubHealthLogMaxFileSize: size('msExchSyncHubHealthLogPerFileSizeQuota', 10),
  transportSyncMaxDownloadItemsPerConnection: count('msExchContentAggregationMaxDownloadItemsPerConnection', 1000),
  transportSyncMaxDownloadSizePerConnection: size('msExchContentAggregationMaxDownloadSizePerConnection', 50),
  transportSyncMaxDownloadSizePerItem: size('msExchContentAggregationMaxDownloadSizePerItem', 25),
  transportSyncRemoteConnectionTimeout: property({
    attribute: 'msExchContentAggregationRemoteConnectionTimeout',
    syntax: timeSpan(0, 86_400),
    default: 100,
    ...reserved,
  }),
};
