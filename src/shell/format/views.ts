/** How objects of a type are shown when the line does not say, as Exchange's own format files do. */
export interface View {
  readonly kind: 'table' | 'list';
  /** Properties; empty: all. */
  readonly columns: readonly string[];
}

function table(columns: string): View {
  return { kind: 'table', columns: columns.split(' ') };
}

/** Types by the name that cmdlets give their objects. */
const views: Readonly<Record<string, View>> = {
  ReceiveConnector: table('Identity Bindings Enabled'),
  SendConnector: table('Identity AddressSpaces Enabled'),
  DeliveryAgentConnector: table('Identity AddressSpaces DeliveryProtocol Enabled'),
  ForeignConnector: table('Identity AddressSpaces Enabled'),
  AcceptedDomain: table('Name DomainName DomainType Default'),
  RemoteDomain: table('Name DomainName AllowedOOFType'),
  AddressRewriteEntry: table('Name InternalAddress ExternalAddress'),
  TransportServer: table('Name MessageTrackingLogEnabled MessageTrackingLogPath'),
  TransportService: table('Name MessageTrackingLogEnabled MessageTrackingLogPath'),
  ExchangeServer: table('Name Site ServerRole Edition AdminDisplayVersion'),
  ADPermission: table('Identity User Deny Inherited'),
  ExtensibleQueueInfo: table(
    'Identity DeliveryType Status MessageCount Velocity RiskLevel OutboundIPPool NextHopDomain',
  ),
  ExtensibleMessageInfo: table('Identity FromAddress Status Queue Subject'),
  QueueDigestPresentationObject: table(
    'GroupByValue MessageCount DeferredMessageCount LockedMessageCount StaleMessageCount Details',
  ),
  MessageTrackingEvent: table('EventId Source Sender Recipients MessageSubject'),
  TransportPipelineEvent: table('Event TransportAgents'),
  TransportAgent: table('Identity Enabled Priority'),
  TransportRule: table('Name State Priority Comments'),
  EdgeSubscription: table('Name Site Domain'),
  ExchangeCertificate: table('Thumbprint Services Subject'),
  SystemMessage: table('Identity Text'),
  EventLogLevel: table('Identity EventLevel'),
  ServerComponentState: table('Server Component State'),
  CommandInfo: table('CommandType Name Synopsis'),
  MemberDefinition: table('Name MemberType Definition'),
  GroupInfo: table('Count Name Group'),
};

/** The view of a type; undefined: as custom objects are shown. */
export function builtInView(typeName: string): View | undefined {
  return views[typeName];
}
