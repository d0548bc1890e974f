import { StructuredValue } from '../../config/index.ts';
import type { QueueInfo } from '../transport-administration.ts';
import type { InfoTable } from './info-table.ts';

/** Microsoft.Exchange.Data.QueueViewer.QueueIdentity: `SERVER\\3`, `SERVER\\Submission`. */
export function queueIdentity(text: string, nextHopDomain = ''): StructuredValue {
  const [server = '', number = ''] = text.split('\\');
  const isNumbered = /^\d+$/.test(number);
  return new StructuredValue('QueueIdentity', text, [
    ['Server', server],
    ['Type', isNumbered ? 'Delivery' : number],
    ['RowId', isNumbered ? Number(number) : 0],
    ['NextHopDomain', nextHopDomain],
    ['IsLocal', true],
    ['IsFullySpecified', true],
    ['IsEmpty', false],
  ]);
}

/** Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo. */
export const queueTable: InfoTable<QueueInfo> = {
  typeName: 'ExtensibleQueueInfo',
  noun: 'queue',
  properties: [
    { name: 'DeliveryType', value: ({ deliveryType }) => deliveryType, column: 2, groupBy: true },
    { name: 'NextHopDomain', value: ({ nextHopDomain }) => nextHopDomain, column: 8, groupBy: true },
    { name: 'TlsDomain', value: ({ tlsDomain }) => tlsDomain },
    { name: 'NextHopConnector', value: ({ nextHopConnector }) => nextHopConnector },
    { name: 'Status', value: ({ status }) => status, column: 3, groupBy: true },
    { name: 'MessageCount', value: ({ messageCount }) => messageCount, column: 4 },
    { name: 'LastError', value: ({ lastError }) => (lastError === '' ? null : lastError), groupBy: true },
    { name: 'RetryCount', value: ({ retryCount }) => retryCount },
    { name: 'LastRetryTime', value: ({ lastRetryTime }) => lastRetryTime },
    { name: 'NextRetryTime', value: ({ nextRetryTime }) => nextRetryTime },
    { name: 'FirstRetryTime', value: ({ firstRetryTime }) => firstRetryTime },
    { name: 'DeferredMessageCount', value: ({ deferredMessageCount }) => deferredMessageCount },
    { name: 'LockedMessageCount', value: () => 0 },
    { name: 'RiskLevel', value: () => 'Normal', column: 6, groupBy: true },
    { name: 'OutboundIPPool', value: () => 0, column: 7, groupBy: true },
    {
      name: 'NextHopCategory',
      value: ({ deliveryType }) => (deliveryType === 'SmtpDeliveryToMailbox' ? 'Internal' : 'External'),
      groupBy: true,
    },
    { name: 'IncomingRate', value: ({ incomingRate }) => incomingRate },
    { name: 'OutgoingRate', value: ({ outgoingRate }) => outgoingRate },
    {
      name: 'Velocity',
      value: ({ incomingRate, outgoingRate }) => Number((outgoingRate - incomingRate).toFixed(2)),
      column: 5,
    },
    { name: 'Identity', value: ({ identity, nextHopDomain }) => queueIdentity(identity, nextHopDomain), column: 1 },
    { name: 'IsValid', value: () => true },
    { name: 'ObjectState', value: () => 'New' },
  ],
};
