/** The transport service of one server: retry times, connection limits, logs, DNS, pickup. */

import type { IpRange } from '../../base/index.ts';
import { adminDisplayNameRow, exchangeVersionRow } from '../properties/fixed-properties.ts';
import { logAge, logFile, logFolder, logPath, optionalPath, pathSyntax } from '../properties/log-properties.ts';
import {
  bindings,
  fqdn,
  ipAddress,
  ipAddresses,
  ipRanges,
  mxPatterns,
  smtpAddress,
} from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { later, property, type Syntax } from '../properties/property.ts';
import { byteSize, integer, oneOf, orUnlimited, requiredText, text, timeSpan, yesNo } from '../properties/syntaxes.ts';
import { withReasons } from '../properties/without-meaning.ts';
import { type Balancer, balancers } from './balancers.ts';
import { reservedTransportProperties } from './transport-service-reserved.ts';

const aDay = 86_400;
/** Seconds: RFC 8461 §3.2. */
const maxStsPolicyAge = 31_557_600;
const KB = 1024;

/** Bits of msExchTransportFlags. Exchange's own are not public; these are ours. */
const serviceFlags = 'msExchTransportFlags';

const guid = requiredText('Guid', (value) => {
  if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value)) throw new RangeError(`'${value}' is not a GUID`);
  return value.toLowerCase();
});
const noGuid = '00000000-0000-0000-0000-000000000000';

/** RFC 4516; in clear no password travels. */
const ldapsUrl = text('Uri', (value) => {
  const { protocol, hostname, pathname } = URL.parse(value) ?? {};
  if (protocol !== 'ldaps:' || hostname === '' || (pathname ?? '').length > 1)
    throw new RangeError(`'${value}' is not of the form ldaps://dc1.corp.example`);
  return value;
});

const bindName = requiredText('String', (value) => {
  if (value.split('{user}').length !== 2) throw new RangeError(`'${value}' has not one {user} in it`);
  return value;
});

const selector = requiredText('String', (value) => {
  if (!/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/i.test(value)) throw new RangeError(`'${value}' is no DKIM selector`);
  return value.toLowerCase();
});

/** An address, or '<>'. */
const senderAddress: Syntax<string | null> = {
  ...smtpAddress,
  parse: (value) => (value === '<>' ? value : smtpAddress.parse(value)),
  read: (values) => (values[0] === '<>' ? values[0] : smtpAddress.read(values)),
};

const dnsProtocol = { ...oneOf(['Any', 'UseUdpOnly', 'UseTcpOnly']), type: 'ProtocolOption' };
const loggingLevel = { ...oneOf(['None', 'Verbose']), type: 'ProtocolLoggingLevel' };

/** Full name of the server among its network addresses: `ncacn_ip_tcp:edge.example.com`. */
const serverFqdn: Syntax<string> = {
  type: 'Fqdn',
  parse: String,
  read: (values) => values.find((value) => /^ncacn_ip_tcp:/i.test(value))?.slice('ncacn_ip_tcp:'.length) ?? '',
  write: (value) => [`ncacn_ip_tcp:${value}`],
  show: (value) => value,
};

const serviceSwitch = (bit: number, on: boolean, help: string) =>
  property({ attribute: serviceFlags, bit, syntax: yesNo, default: on, help });

/** A switch that can only stand as things are. */
const fixedSwitch = (bit: number, on: boolean, built: boolean, help: string) => ({
  ...later(serviceSwitch(bit, on, help)),
  builtFor: (value: boolean) => value === built,
});

const properties = {
  /** Full name of the server. */
  fqdn: property({
    attribute: 'networkAddress',
    syntax: serverFqdn,
    default: '',
    hidden: true,
    help: 'Full name of the server.',
  }),
  /** Number of the roles: 64 Edge, 2 Mailbox, 32 Hub, 16384 Front End. */
  currentServerRole: property({
    attribute: 'msExchCurrentServerRoles',
    syntax: integer(),
    default: 64,
    hidden: true,
    help: 'Roles of the server.',
  }),
  /** Port of the directory without TLS; loopback only. */
  edgeSyncAdamLdapPort: property({
    attribute: 'msExchEdgeSyncAdamLdapPort',
    syntax: integer(1, 65_535),
    default: 50_389,
    hidden: true,
    help: 'LDAP port of the directory (loopback).',
  }),
  /** Port of the directory with TLS. */
  edgeSyncAdamSslPort: property({
    attribute: 'msExchEdgeSyncAdamSSLPort',
    syntax: integer(1, 65_535),
    default: 50_636,
    hidden: true,
    help: 'LDAPS port of the directory.',
  }),
  /** Local addresses that LDAPS listens on; none: every address once there is a subscription, and none before. */
  ldapsAddresses: property({
    attribute: 'edgeLdapsAddress',
    syntax: ipAddresses,
    default: [],
    hidden: true,
    help: 'Local addresses of LDAPS.',
  }),
  /** Clients that LDAPS serves; none: all. */
  ldapsRemoteIPRanges: property({
    attribute: 'edgeLdapsRemoteIPRange',
    syntax: ipRanges,
    default: [],
    hidden: true,
    help: 'Clients that LDAPS serves.',
  }),
  antispamAgentsEnabled: property({
    attribute: serviceFlags,
    bit: 0,
    syntax: yesNo,
    default: false,
    edgeDefault: true,
    help: 'Anti-spam agents work: the recipient filter.',
  }),
  connectivityLogEnabled: serviceSwitch(1, true, 'Writes the connectivity log.'),
  connectivityLogMaxAge: logAge('msExchTransportMaxConnectivityLogAge', 30),
  connectivityLogMaxDirectorySize: logFolder('msExchTransportConnectivityLogDirectorySize', 1000),
  connectivityLogMaxFileSize: logFile('msExchTransportConnectivityLogFileSize', 10),
  connectivityLogPath: logPath('msExchTransportConnectivityLogPath', 'logs/Hub/Connectivity', 'logs/Edge/Connectivity'),
  delayNotificationTimeout: property({
    attribute: 'msExchTransportDelayNotificationTimeout',
    syntax: timeSpan(1, 30 * aDay),
    default: 4 * 3600,
    help: 'Age at which the sender is told that a message is late.',
  }),
  externalDNSAdapterEnabled: serviceSwitch(
    2,
    true,
    'External lookups use the DNS servers of the system; off: ExternalDNSServers.',
  ),
  externalDNSAdapterGuid: property({
    attribute: 'msExchTransportExternalDNSAdapterGuid',
    syntax: guid,
    default: noGuid,
    notImplementedYet: true,
    help: 'Network adapter whose DNS servers answer external lookups.',
  }),
  externalDNSProtocolOption: property({
    attribute: 'msExchTransportExternalDNSProtocolOption',
    syntax: dnsProtocol,
    default: 'Any',
    help: 'UDP, TCP or either for external lookups.',
  }),
  externalDNSServers: property({
    attribute: 'msExchTransportExternalDNSServers',
    syntax: ipAddresses,
    default: [],
    help: 'DNS servers of send connectors with UseExternalDNSServersEnabled, where ExternalDNSAdapterEnabled is off.',
  }),
  externalIPAddress: property({
    attribute: 'msExchTransportExternalIPAddress',
    syntax: ipAddress,
    default: null,
    help: 'Address to put into Received instead of the real one.',
  }),
  internalDNSAdapterEnabled: serviceSwitch(
    3,
    true,
    'Internal lookups use the DNS servers of the system; off: InternalDNSServers.',
  ),
  internalDNSAdapterGuid: property({
    attribute: 'msExchTransportInternalDNSAdapterGuid',
    syntax: guid,
    default: noGuid,
    notImplementedYet: true,
    help: 'Network adapter whose DNS servers answer internal lookups.',
  }),
  internalDNSProtocolOption: property({
    attribute: 'msExchTransportInternalDNSProtocolOption',
    syntax: dnsProtocol,
    default: 'Any',
    help: 'UDP, TCP or either for internal lookups.',
  }),
  proxyProtocolBalancers: property({
    attribute: 'edgeProxyProtocolBalancers',
    syntax: balancers,
    default: [] as readonly Balancer[],
    help: 'Balancers that begin connections to a binding with a PROXY header (versions 1 and 2), which says who the client is: 0.0.0.0:25=10.0.0.5. Without the header they are cut. Ours, not of Exchange.',
  }),
  xClientBalancers: property({
    attribute: 'edgeXClientBalancers',
    syntax: balancers,
    default: [] as readonly Balancer[],
    help: 'Balancers that may say by XCLIENT who the client behind them is, each for a binding: 0.0.0.0:25=10.0.0.5. Ours, not of Exchange.',
  }),
  authenticationDirectory: property({
    attribute: 'edgeAuthenticationDirectory',
    syntax: ldapsUrl,
    default: null,
    help: 'Directory that names and passwords of AUTH are checked by, besides the accounts of the own one: ldaps://dc1.corp.example. Ours, not of Exchange.',
  }),
  authenticationBindName: property({
    attribute: 'edgeAuthenticationBindName',
    syntax: bindName,
    default: '{user}',
    help: "Name of the bind there, with the client's for {user}: {user}@corp.example, uid={user},ou=people,dc=corp,dc=example. Ours, not of Exchange.",
  }),
  dnssecTrustedServers: property({
    attribute: 'edgeDnssecTrustedServers',
    syntax: ipAddresses,
    default: [],
    help: 'Validating DNS resolvers on a way that nobody else can change: their word on DNSSEC is believed, as that of this machine always is. Ours, not of Exchange.',
  }),
  revocationIPRanges: property({
    attribute: 'edgeRevocationIPRanges',
    syntax: ipRanges,
    default: [] as readonly IpRange[],
    help: "Addresses inside where authorities of one's own answer OCSP questions and keep CRLs: others inside are never asked. Ours, not of Exchange.",
  }),
  dnssecGoodTestName: property({
    attribute: 'edgeDnssecGoodTestName',
    syntax: fqdn,
    default: 'internetsociety.org',
    help: 'A name whose addresses are signed: proves that the resolver validates before DANE is used. Ours, not of Exchange.',
  }),
  dnssecBadTestName: property({
    attribute: 'edgeDnssecBadTestName',
    syntax: fqdn,
    default: 'dnssec-failed.org',
    help: 'A name whose signatures are broken: the resolver must refuse it. Ours, not of Exchange.',
  }),
  tlsReportContact: property({
    attribute: 'edgeTlsReportContact',
    syntax: smtpAddress,
    default: null,
    help: 'Address that TLS reports (RFC 8460) come from and name as contact; $null: none are made. Its domain signs them, with the key of Get-TlsReportKey. Ours, not of Exchange.',
  }),
  tlsReportMailbox: property({
    attribute: 'edgeTlsReportMailbox',
    syntax: smtpAddress,
    default: null,
    help: 'Address that TLS reports of others come to, as the TXT record of _smtp._tls names it: they are read on their way and kept for Get-TlsReport -Received; $null: none are. Ours, not of Exchange.',
  }),
  tlsReportSelector: property({
    attribute: 'edgeTlsReportSelector',
    syntax: selector,
    default: 'edge-tlsrpt',
    help: 'DKIM selector of TLS reports that go by mail. Ours, not of Exchange.',
  }),
  mtaStsPolicyBindings: property({
    attribute: 'edgeMtaStsPolicyBindings',
    syntax: bindings,
    default: [],
    help: 'Where our own MTA-STS policy (RFC 8461) is served over https for each accepted domain, with the certificate for mta-sts.DOMAIN: 0.0.0.0:443. Ports below 1024 besides those of mail need edge start --allow-port. None: nowhere. Ours, not of Exchange.',
  }),
  mtaStsPolicyMode: property({
    attribute: 'edgeMtaStsPolicyMode',
    syntax: oneOf(['None', 'Testing', 'Enforce']),
    default: 'None',
    help: "Mode of our own MTA-STS policy. None is served as 'none', by which senders forget an earlier one. Ours, not of Exchange.",
  }),
  mtaStsPolicyMx: property({
    attribute: 'edgeMtaStsPolicyMx',
    syntax: mxPatterns,
    default: [],
    help: 'MX hosts that our own MTA-STS policy names: mx1.contoso.com, or *.contoso.com for one label; none: the name of the server. Ours, not of Exchange.',
  }),
  mtaStsPolicyMaxAge: property({
    attribute: 'edgeMtaStsPolicyMaxAge',
    syntax: timeSpan(0, maxStsPolicyAge),
    default: 7 * aDay,
    help: 'How long senders keep our own MTA-STS policy. Ours, not of Exchange.',
  }),
  internalDNSServers: property({
    attribute: 'msExchTransportInternalDNSServers',
    syntax: ipAddresses,
    default: [],
    help: 'DNS servers of the other send connectors, where InternalDNSAdapterEnabled is off.',
  }),
  maxConcurrentMailboxDeliveries: property({
    attribute: 'msExchTransportMaxConcurrentMailboxDeliveries',
    syntax: integer(1, 256),
    default: 20,
    help: 'Deliveries into mailboxes at a time.',
  }),
  maxConcurrentMailboxSubmissions: property({
    attribute: 'msExchTransportMaxConcurrentMailboxSubmissions',
    syntax: integer(1, 256),
    default: 20,
    notImplementedYet: true,
    help: 'Submissions from mailboxes at a time.',
  }),
  maxConnectionRatePerMinute: property({
    attribute: 'msExchSmtpReceiveMaxConnectionRatePerMinute',
    syntax: integer(1),
    default: 1200,
    help: 'New connections in a minute that the service takes.',
  }),
  maxOutboundConnections: property({
    attribute: 'msExchSmtpMaxOutgoingConnections',
    syntax: orUnlimited(integer(1)),
    default: 1000,
    help: 'Connections to other hosts at a time.',
  }),
  maxPerDomainOutboundConnections: property({
    attribute: 'msExchSmtpMaxOutgoingConnectionsPerDomain',
    syntax: orUnlimited(integer(1)),
    default: 20,
    help: 'Connections at a time for one domain or set of smart hosts.',
  }),
  messageExpirationTimeout: property({
    attribute: 'msExchTransportMessageExpirationTimeout',
    syntax: timeSpan(5, 90 * aDay),
    default: 2 * aDay,
    help: 'Age at which an undelivered message goes back to its sender.',
  }),
  messageRetryInterval: property({
    attribute: 'msExchTransportMessageRetryInterval',
    syntax: timeSpan(1, aDay),
    default: 15 * 60,
    help: 'Time between two attempts for a message that was deferred.',
  }),
  messageTrackingLogEnabled: serviceSwitch(4, true, 'Writes the message tracking log.'),
  messageTrackingLogMaxAge: logAge('msExchTransportMaxMessageTrackingLogAge', 30),
  messageTrackingLogMaxDirectorySize: logFolder('msExchTransportMaxMessageTrackingDirectorySize', 1000),
  messageTrackingLogMaxFileSize: logFile('msExchTransportMaxMessageTrackingFileSize', 10),
  messageTrackingLogPath: logPath('msExchTransportMessageTrackingPath', 'logs/MessageTracking'),
  messageTrackingLogSubjectLoggingEnabled: serviceSwitch(5, true, 'The tracking log shows subjects.'),
  irmLogEnabled: fixedSwitch(6, true, false, 'Writes the rights management log.'),
  irmLogMaxAge: later(logAge('msExchIRMLogMaxAge', 30)),
  irmLogMaxDirectorySize: later(logFolder('msExchIRMLogMaxDirectorySize', 250)),
  irmLogMaxFileSize: later(logFile('msExchIRMLogMaxFileSize', 10)),
  irmLogPath: later(logPath('msExchIRMLogPath', 'logs/IRM')),
  activeUserStatisticsLogMaxAge: later(logAge('msExchTransportMaxRecipientStatisticsLogAge', 30)),
  activeUserStatisticsLogMaxDirectorySize: later(logFolder('msExchTransportRecipientStatisticsDirectorySize', 250)),
  activeUserStatisticsLogMaxFileSize: later(logFile('msExchTransportRecipientStatisticsFileSize', 10)),
  activeUserStatisticsLogPath: later(
    logPath('msExchTransportRecipientStatisticsPath', 'logs/Hub/ActiveUsersStats', 'logs/Edge/ActiveUsersStats'),
  ),
  serverStatisticsLogMaxAge: logAge('msExchTransportMaxServerStatisticsLogAge', 30),
  serverStatisticsLogMaxDirectorySize: logFolder('msExchTransportServerStatisticsDirectorySize', 250),
  serverStatisticsLogMaxFileSize: logFile('msExchTransportServerStatisticsFileSize', 10),
  serverStatisticsLogPath: logPath(
    'msExchTransportServerStatisticsPath',
    'logs/Hub/ServerStats',
    'logs/Edge/ServerStats',
  ),
  outboundConnectionFailureRetryInterval: property({
    attribute: 'msExchTransportOutboundConnectionFailureRetryInterval',
    syntax: timeSpan(1, 20 * aDay),
    default: 10 * 60,
    edgeDefault: 30 * 60,
    help: 'Time between two attempts to connect once the quick ones are used up.',
  }),
  pickupDirectoryMaxHeaderSize: property({
    attribute: 'msExchTransportMaxPickupDirectoryHeaderSize',
    syntax: byteSize(32_768),
    default: 64 * KB,
    help: 'Largest header block of a file in the pickup folder.',
  }),
  pickupDirectoryMaxMessagesPerMinute: property({
    attribute: 'msExchTransportMaxPickupDirectoryMessagesPerMinute',
    syntax: integer(1, 20_000),
    default: 100,
    help: 'Files taken from the pickup folder in a minute.',
  }),
  pickupDirectoryMaxRecipientsPerMessage: property({
    attribute: 'msExchTransportMaxPickupDirectoryRecipients',
    syntax: integer(1, 10_000),
    default: 100,
    help: 'Recipients of a file in the pickup folder.',
  }),
  pickupDirectoryPath: property({
    attribute: 'msExchTransportPickupDirectoryPath',
    syntax: pathSyntax,
    default: 'Pickup',
    help: 'Folder whose .eml files are sent: an absolute path outside the state, where the account of the services may read, rename and delete. A relative one: none is looked at.',
  }),
  pipelineTracingEnabled: property({
    attribute: serviceFlags,
    bit: 7,
    syntax: yesNo,
    default: false,
    help: 'Keeps copies of the messages of PipelineTracingSenderAddress: as they came, as each agent left them, and as they were routed.',
  }),
  contentConversionTracingEnabled: property({
    attribute: serviceFlags,
    bit: 8,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Keeps messages whose conversion failed.',
  }),
  pipelineTracingPath: logPath(
    'msExchTransportPipelineTracingPath',
    'logs/Hub/PipelineTracing',
    'logs/Edge/PipelineTracing',
  ),
  pipelineTracingSenderAddress: property({
    attribute: 'msExchTransportPipelineTracingSenderAddress',
    syntax: senderAddress,
    default: null,
    help: 'Sender whose messages are traced; <>: those with the null sender.',
  }),
  poisonMessageDetectionEnabled: property({
    attribute: serviceFlags,
    bit: 9,
    syntax: yesNo,
    default: true,
    help: 'Messages that bring the service down are set apart.',
  }),
  poisonThreshold: property({
    attribute: 'msExchTransportPoisonMessageThreshold',
    syntax: integer(1, 10),
    default: 2,
    help: 'Crashes after which a message is set apart.',
  }),
  queueMaxIdleTime: property({
    attribute: 'msExchTransportMaxQueueIdleTime',
    syntax: timeSpan(5, 3600),
    default: 180,
    help: 'Time after which an empty queue disappears.',
  }),
  receiveProtocolLogMaxAge: logAge('msExchTransportMaxReceiveProtocolLogAge', 30),
  receiveProtocolLogMaxDirectorySize: logFolder('msExchTransportMaxReceiveProtocolLogDirectorySize', 250),
  receiveProtocolLogMaxFileSize: logFile('msExchTransportMaxReceiveProtocolLogFileSize', 10),
  receiveProtocolLogPath: logPath(
    'msExchTransportReceiveProtocolLogPath',
    'logs/Hub/ProtocolLog/SmtpReceive',
    'logs/Edge/ProtocolLog/SmtpReceive',
  ),
  recipientValidationCacheEnabled: property({
    attribute: serviceFlags,
    bit: 10,
    syntax: yesNo,
    default: false,
    edgeDefault: true,
    notImplementedYet: true,
    help: 'Keeps answers of recipient lookups for a while.',
  }),
  replayDirectoryPath: property({
    attribute: 'msExchTransportReplayDirectoryPath',
    syntax: pathSyntax,
    default: 'Replay',
    help: 'Folder whose exported .eml files are sent again, their envelope in X-Sender and X-Receiver: an absolute path outside the state. A relative one: none is looked at.',
  }),
  rootDropDirectoryPath: property({
    attribute: 'msExchTransportRootDropDirectoryPath',
    syntax: text('String'),
    default: null,
    notImplementedYet: true,
    help: 'Folder for messages to foreign systems.',
  }),
  routingTableLogMaxAge: logAge('msExchTransportRoutingLogMaxAge', 7),
  routingTableLogMaxDirectorySize: logFolder('msExchTransportRoutingLogMaxDirectorySize', 50),
  routingTableLogPath: logPath('msExchTransportRoutingLogPath', 'logs/Hub/Routing', 'logs/Edge/Routing'),
  sendProtocolLogMaxAge: logAge('msExchTransportMaxSendProtocolLogAge', 30),
  sendProtocolLogMaxDirectorySize: logFolder('msExchTransportMaxSendProtocolLogDirectorySize', 250),
  sendProtocolLogMaxFileSize: logFile('msExchTransportMaxSendProtocolLogFileSize', 10),
  sendProtocolLogPath: logPath(
    'msExchTransportSendProtocolLogPath',
    'logs/Hub/ProtocolLog/SmtpSend',
    'logs/Edge/ProtocolLog/SmtpSend',
  ),
  transientFailureRetryCount: property({
    attribute: 'msExchTransportTransientFailureRetryCount',
    syntax: integer(0, 15),
    default: 6,
    help: 'Attempts to connect at TransientFailureRetryInterval.',
  }),
  transientFailureRetryInterval: property({
    attribute: 'msExchTransportTransientFailureRetryInterval',
    syntax: timeSpan(1, 43_200),
    default: 300,
    edgeDefault: 600,
    help: 'Time between these attempts.',
  }),
  /** In Exchange a line of EdgeTransport.exe.config. */
  queueGlitchRetryCount: property({
    attribute: 'msExchTransportQueueGlitchRetryCount',
    syntax: integer(0, 15),
    default: 4,
    help: 'First attempts to connect, at QueueGlitchRetryInterval.',
  }),
  queueGlitchRetryInterval: property({
    attribute: 'msExchTransportQueueGlitchRetryInterval',
    syntax: timeSpan(1, 43_200),
    default: 60,
    help: 'Time between the first attempts.',
  }),
  intraOrgConnectorProtocolLoggingLevel: property({
    attribute: 'msExchTransportIntraOrgConnectorProtocolLoggingLevel',
    syntax: loggingLevel,
    default: 'None',
    help: 'Protocol log of connections to servers of the organization.',
    notImplementedYet: true,
  }),
  intraOrgConnectorSmtpMaxMessagesPerConnection: property({
    attribute: 'msExchSmtpMaxMessagesPerConnection',
    syntax: integer(0),
    default: 20,
    help: 'Messages per connection to servers of the organization.',
    notImplementedYet: true,
  }),
  agentLogEnabled: serviceSwitch(11, true, 'Writes the agent log.'),
  agentLogMaxAge: logAge('msExchTransportAgentLogMaxAge', 7),
  agentLogMaxDirectorySize: logFolder('msExchTransportAgentLogMaxDirectorySize', 250),
  agentLogMaxFileSize: logFile('msExchTransportAgentLogMaxFileSize', 10),
  agentLogPath: logPath('msExchTransportAgentLogPath', 'logs/Hub/AgentLog', 'logs/Edge/AgentLog'),
  dnsLogEnabled: serviceSwitch(12, false, 'Writes the DNS log.'),
  dnsLogMaxAge: logAge('msExchTransportDnsLogMaxAge', 7),
  dnsLogMaxDirectorySize: logFolder('msExchTransportDnsLogMaxDirectorySize', 100),
  dnsLogMaxFileSize: logFile('msExchTransportDnsLogMaxFileSize', 10),
  dnsLogPath: property({
    attribute: 'msExchTransportDnsLogPath',
    syntax: optionalPath,
    default: null,
    help: 'Folder of the DNS log; empty: none.',
  }),
  queueLogMaxAge: logAge('msExchTransportQueueLogMaxAge', 7),
  queueLogMaxDirectorySize: logFolder('msExchTransportQueueLogMaxDirectorySize', 200),
  queueLogMaxFileSize: logFile('msExchTransportQueueLogMaxFileSize', 10),
  queueLogPath: logPath('msExchTransportQueueLogPath', 'logs/Hub/QueueViewer', 'logs/Edge/QueueViewer'),
  resourceLogEnabled: property({
    attribute: 'msExchTransportReservedLogFlags',
    bit: 1,
    syntax: yesNo,
    default: false,
    help: 'Writes the levels of back pressure once a minute.',
  }),
  resourceLogMaxAge: logAge('msExchTransportResourceLogMaxAge', 7),
  resourceLogMaxDirectorySize: logFolder('msExchTransportResourceLogMaxDirectorySize', 250),
  resourceLogMaxFileSize: logFile('msExchTransportResourceLogMaxFileSize', 10),
  resourceLogPath: logPath('msExchTransportResourceLogPath', 'logs/Resource'),
  useDowngradedExchangeServerAuth: property({
    attribute: serviceFlags,
    bit: 13,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Exchange servers may log on without X-ANONYMOUSTLS.',
  }),
  ...reservedTransportProperties,
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow('0.1 (8.0.535.0)'),
};

/** The one list of the transport service's properties. */
export const transportService: ObjectTable<typeof properties> = {
  noun: 'TransportService',
  title: 'Transport service',
  objectClass: 'msExchExchangeServer',
  objectClasses: ['top', 'msExchExchangeServer'],
  scope: 'server',
  path: '',
  singleton: true,
  properties: withReasons('TransportService', properties),
  rules: [],
};

/** The transport service as the rooms see it; `name` is the short name of the server. */
export type TransportService = ObjectOf<typeof transportService>;
