import type { Column } from './table.ts';

/** How objects of a type are shown when the line does not say, as the format files of Exchange and PowerShell do. */
export interface View {
  /** 'text': as the object says itself. */
  readonly kind: 'table' | 'list' | 'text';
  /** Objects with another value of this property stand under a title of their own. */
  readonly groupBy?: string;
  /** Properties; empty: all. */
  readonly columns: readonly (string | ViewColumn)[];
}

/** A column of a view. Numbers stand on the left too, unless it says otherwise. */
export interface ViewColumn {
  readonly name: string;
  /** Columns of the terminal; absent: a share of what is left. */
  readonly width?: number;
  readonly align?: 'right';
  /** Grows with its values, where Exchange would cut a status short. */
  readonly grows?: boolean;
  /** Left out of a narrow terminal. */
  readonly spare?: boolean;
}

/** Reads 'Name:30 Count:5> Status:6+ RiskLevel:9? Group': widths, > for the right, + grows, ? is spare. */
function table(columns: string): View {
  return { kind: 'table', columns: columns.split(' ').map(column) };
}

function column(text: string): ViewColumn {
  const [, name = '', width, mark] = /^(\w+)(?::(\d+))?([>+?])?$/.exec(text) ?? [];
  return {
    name,
    ...(width === undefined ? {} : { width: Number(width) }),
    ...(mark === '>' ? { align: 'right' } : {}),
    ...(mark === '+' ? { grows: true } : {}),
    ...(mark === '?' ? { spare: true } : {}),
  };
}

/** Types by the name that cmdlets give their objects. Widths are those seen in Exchange's output. */
const views: Readonly<Record<string, View>> = {
  ReceiveConnector: table('Identity Bindings Enabled'),
  SendConnector: table('Identity AddressSpaces Enabled'),
  DeliveryAgentConnector: table('Identity AddressSpaces DeliveryProtocol Enabled'),
  ForeignConnector: table('Identity AddressSpaces Enabled'),
  AcceptedDomain: table('Name:30 DomainName:30 DomainType Default'),
  RemoteDomain: table('Name:30 DomainName:30 AllowedOOFType'),
  AddressRewriteEntry: table('Name InternalAddress ExternalAddress'),
  TransportServer: table('Name MessageTrackingLogEnabled MessageTrackingLogPath'),
  TransportService: table('Name MessageTrackingLogEnabled MessageTrackingLogPath'),
  ExchangeServer: table('Name:19 Site:20 ServerRole:11 Edition:11 AdminDisplayVersion'),
  ADAcePresentationObject: table('Identity:20 User:20 Deny:5 Inherited:9'),
  ExtensibleQueueInfo: table(
    'Identity DeliveryType:12 Status:6+ MessageCount:12 Velocity:8? RiskLevel:9? OutboundIPPool:14? NextHopDomain',
  ),
  ExtensibleMessageInfo: table('Identity FromAddress Status Size SCL Subject'),
  QueueDigestPresentationObject: table(
    'GroupByValue MessageCount:12 DeferredMessageCount:20 LockedMessageCount:18 StaleMessageCount:17 Details',
  ),
  MessageTrackingEvent: table('EventId:8 Source:8 Sender Recipients MessageSubject'),
  TransportPipelineEvent: table('Event TransportAgents'),
  TransportAgent: table('Identity Enabled Priority'),
  TransportRule: table('Name State Priority Comments'),
  EdgeSubscription: table('Name Site Domain'),
  // What Get-ExchangeCertificate gives.
  X509Certificate2: table('Thumbprint:41 Services:10 Subject'),
  TlsCertificateSelection: table('Connector:24 Selected:9 Thumbprint:41 Reason'),
  SystemMessage: table('Identity Text'),
  EventLogLevel: table('Identity EventLevel'),
  ServerComponentState: table('Server Component State'),
  CommandInfo: table('CommandType:15 Name:50 Synopsis'),
  MemberDefinition: { ...table('Name:4+ MemberType:10+ Definition'), groupBy: 'TypeName' },
  TextMeasureInfo: table('Lines:5> Words:5> Characters:10> Property'),
  GroupInfo: table('Count:5> Name:25 Group'),
  GroupInfoNoElement: table('Count:5> Name:25'),
  AliasInfo: table('CommandType:15 Name:50 Definition'),
  'System.Collections.DictionaryEntry': table('Name:30 Value'),
  PSVariable: table('Name:30 Value'),
  'Microsoft.PowerShell.Commands.MatchInfo': { kind: 'text', columns: [] },
};

/** A view's columns as tables take them, each on the left unless it says otherwise. */
export function columnsOf({ columns }: View): readonly (Column & { readonly name: string })[] {
  return columns.map((one) => {
    const column = typeof one === 'string' ? { name: one } : one;
    return { align: 'left', ...column, label: column.name };
  });
}

/** The view of a type; undefined: as custom objects are shown. */
export function builtInView(typeName: string): View | undefined {
  return Object.hasOwn(views, typeName) ? views[typeName] : undefined;
}
