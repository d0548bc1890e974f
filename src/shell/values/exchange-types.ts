/** Full names of Exchange's types by the names that cmdlets give their objects. */
const fullNames: Readonly<Record<string, string>> = {
  ReceiveConnector: 'Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector',
  SendConnector: 'Microsoft.Exchange.Data.Directory.SystemConfiguration.SmtpSendConnectorConfig',
  AcceptedDomain: 'Microsoft.Exchange.Data.Directory.SystemConfiguration.AcceptedDomain',
  RemoteDomain: 'Microsoft.Exchange.Data.Directory.SystemConfiguration.DomainContentConfig',
  TransportConfig: 'Microsoft.Exchange.Data.Directory.SystemConfiguration.TransportConfigContainer',
  TransportService: 'Microsoft.Exchange.Data.Directory.Management.TransportServer',
  ExchangeServer: 'Microsoft.Exchange.Data.Directory.Management.ExchangeServer',
  ExtensibleQueueInfo: 'Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo',
  ExtensibleMessageInfo: 'Microsoft.Exchange.Data.QueueViewer.ExtensibleMessageInfo',
  MessageTrackingEvent: 'Microsoft.Exchange.Management.TransportLogSearchTasks.MessageTrackingEvent',
  ADObjectId: 'Microsoft.Exchange.Data.Directory.ADObjectId',
  AddressSpace: 'Microsoft.Exchange.Data.AddressSpace',
  Fqdn: 'Microsoft.Exchange.Data.Fqdn',
  IPBinding: 'Microsoft.Exchange.Data.IPBinding',
  IPRange: 'Microsoft.Exchange.Data.IPRange',
  MessageIdentity: 'Microsoft.Exchange.Data.QueueViewer.MessageIdentity',
  QueueIdentity: 'Microsoft.Exchange.Data.QueueViewer.QueueIdentity',
  SmartHost: 'Microsoft.Exchange.Data.SmartHost',
  SmtpAddress: 'Microsoft.Exchange.Data.SmtpAddress',
  SmtpDomain: 'Microsoft.Exchange.Data.SmtpDomain',
  SmtpDomainWithSubdomains: 'Microsoft.Exchange.Data.SmtpDomainWithSubdomains',
  SmtpX509Identifier: 'Microsoft.Exchange.Data.SmtpX509Identifier',
  ADAcePresentationObject: 'Microsoft.Exchange.Management.RecipientTasks.ADAcePresentationObject',
};

const ownNames: ReadonlyMap<string, string> = new Map(Object.entries(fullNames).map(([own, full]) => [full, own]));

/** As Get-Member and GetType() show a type. */
export function fullTypeName(own: string): string {
  return Object.hasOwn(fullNames, own) ? (fullNames[own] ?? own) : own;
}

/** The type that an object read from a file once had. */
export function ownTypeName(full: string): string {
  const live = full.replace(/^Deserialized\./, '');
  return ownNames.get(live) ?? live;
}
