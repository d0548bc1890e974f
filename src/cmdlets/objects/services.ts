/** Cmdlets for the settings of servers and of the organization. */
import {
  exchangeServer,
  frontEndTransportService,
  mailboxTransportService,
  transportConfig,
  transportService,
} from '../../config/index.ts';
import type { ObjectKind } from './object-kind.ts';

/** The transport service. */
export const transportServiceKind: ObjectKind<typeof transportService.properties> = {
  table: transportService,
  verbs: ['Get', 'Set'],
  extensions: { Set: ['QueueGlitchRetryCount', 'QueueGlitchRetryInterval'] },
  view: {
    kind: 'table',
    columns: [
      'Name',
      'MessageTrackingLogEnabled',
      'ConnectivityLogEnabled',
      'MessageExpirationTimeout',
      'MaxOutboundConnections',
    ],
  },
  examples: {
    Get: [{ line: 'Get-TransportService | Format-List', says: 'Every setting of the transport service.' }],
    Set: [
      {
        line: 'Set-TransportService -MessageRetryInterval 00:10:00',
        says: 'Deferred messages are tried every ten minutes.',
      },
    ],
  },
};

/** The same under its name of Exchange 2010. */
export const transportServerKind: ObjectKind<typeof transportService.properties> = {
  ...transportServiceKind,
  noun: 'TransportServer',
  notice: 'The TransportServer cmdlets will be removed in a future version. Use the TransportService cmdlets instead.',
  examples: {},
};

/** The Front End Transport service. */
export const frontEndTransportServiceKind: ObjectKind<typeof frontEndTransportService.properties> = {
  table: frontEndTransportService,
  verbs: ['Get', 'Set'],
  view: { kind: 'table', columns: ['Identity', 'ConnectivityLogEnabled', 'MaxConnectionRatePerMinute'] },
  examples: {},
};

/** The Mailbox Transport services. */
export const mailboxTransportServiceKind: ObjectKind<typeof mailboxTransportService.properties> = {
  table: mailboxTransportService,
  verbs: ['Get', 'Set'],
  view: { kind: 'table', columns: ['Identity', 'ConnectivityLogEnabled', 'MaxConcurrentMailboxDeliveries'] },
  examples: {},
};

/** The transport settings of the organization. */
export const transportConfigKind: ObjectKind<typeof transportConfig.properties> = {
  table: transportConfig,
  verbs: ['Get', 'Set'],
  view: { kind: 'list', columns: [] },
  ownParameters: { Set: ['Force'] },
  examples: {
    Get: [{ line: 'Get-TransportConfig', says: 'The settings of the organization.' }],
  },
};

/** The server itself. */
export const exchangeServerKind: ObjectKind<typeof exchangeServer.properties> = {
  table: exchangeServer,
  verbs: ['Get', 'Set'],
  view: { kind: 'table', columns: ['Name', 'Site', 'ServerRole', 'Edition', 'AdminDisplayVersion'] },
  examples: { Get: [{ line: 'Get-ExchangeServer', says: 'The servers that this directory knows.' }] },
};
