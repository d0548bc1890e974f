import { Quantity, StructuredValue } from '../../config/index.ts';
import type { MessageInfo } from '../transport-administration.ts';
import type { InfoTable } from './info-table.ts';
import { queueIdentity } from './queue-properties.ts';

/** Microsoft.Exchange.Data.QueueViewer.MessageIdentity: `SERVER\\3\\12345`. */
function messageIdentity(text: string, queue: string): StructuredValue {
  return new StructuredValue('MessageIdentity', text, [
    ['InternalId', Number(text.split('\\').at(-1))],
    ['QueueIdentity', queueIdentity(queue)],
    ['IsFullySpecified', true],
  ]);
}

/** Microsoft.Exchange.Data.QueueViewer.ExtensibleMessageInfo; recipients are shown where -IncludeRecipientInfo asks for them. */
export function messageTable(withRecipients: boolean): InfoTable<MessageInfo> {
  return {
    typeName: 'ExtensibleMessageInfo',
    noun: 'message',
    properties: [
      { name: 'Subject', value: ({ subject }) => subject, column: 6 },
      { name: 'InternetMessageId', value: ({ internetMessageId }) => internetMessageId },
      { name: 'FromAddress', value: ({ fromAddress }) => fromAddress, column: 2 },
      { name: 'Status', value: ({ status }) => status, column: 3 },
      { name: 'Size', value: ({ size }) => Quantity.bytes(size), column: 4 },
      { name: 'MessageSourceName', value: ({ messageSourceName }) => messageSourceName },
      { name: 'SourceIP', value: ({ sourceIP }) => sourceIP },
      { name: 'SCL', value: ({ scl }) => scl, column: 5 },
      { name: 'DateReceived', value: ({ dateReceived }) => dateReceived },
      { name: 'ExpirationTime', value: ({ expirationTime }) => expirationTime },
      { name: 'LastError', value: ({ lastError }) => (lastError === '' ? null : lastError) },
      { name: 'RetryCount', value: ({ retryCount }) => retryCount },
      { name: 'Queue', value: ({ queue }) => queueIdentity(queue) },
      {
        name: 'Recipients',
        value: ({ recipients }) =>
          withRecipients ? recipients.map((one) => `${one.address};${one.status};${one.lastError}`) : null,
      },
      { name: 'Identity', value: ({ identity, queue }) => messageIdentity(identity, queue), column: 1 },
      { name: 'IsValid', value: () => true },
      { name: 'ObjectState', value: () => 'New' },
    ],
  };
}
