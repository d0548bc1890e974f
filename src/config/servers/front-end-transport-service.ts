/** The Front End Transport service of a Mailbox server: the proxy on port 25. Kept and shown; nothing obeys it yet. */
import { adminDisplayNameRow, exchangeVersionRow } from '../properties/fixed-properties.ts';
import { logAge, logFile, logFolder, logPath } from '../properties/log-properties.ts';
import { ipAddress, ipAddresses } from '../properties/network-syntaxes.ts';
import type { ObjectTable } from '../properties/object-table.ts';
import { later, property } from '../properties/property.ts';
import { integer, oneOf, text, timeSpan, yesNo } from '../properties/syntaxes.ts';

/** Bits of msExchTransportFlags; ours, the same as in the transport service. */
const serviceFlags = 'msExchTransportFlags';
const unbuilt = { notImplementedYet: true } as const;

const serviceSwitch = (bit: number, on: boolean, help: string) =>
  property({ attribute: serviceFlags, bit, syntax: yesNo, default: on, help, ...unbuilt });
const dnsProtocol = (attribute: string) =>
  property({
    attribute,
    syntax: { ...oneOf(['Any', 'UseUdpOnly', 'UseTcpOnly']), type: 'ProtocolOption' },
    default: 'Any',
    help: 'UDP, TCP or either.',
    ...unbuilt,
  });
const adapter = (attribute: string) =>
  property({
    attribute,
    syntax: text('Guid'),
    default: null,
    help: 'Network adapter whose DNS servers are asked.',
    ...unbuilt,
  });
const servers = (attribute: string) =>
  property({ attribute, syntax: ipAddresses, default: [], help: 'DNS servers.', ...unbuilt });

const properties = {
  antispamAgentsEnabled: serviceSwitch(0, false, 'Anti-spam agents are installed.'),
  connectivityLogEnabled: serviceSwitch(1, true, 'Writes the connectivity log.'),
  connectivityLogMaxAge: later(logAge('msExchTransportMaxConnectivityLogAge', 30)),
  connectivityLogMaxDirectorySize: later(logFolder('msExchTransportConnectivityLogDirectorySize', 1000)),
  connectivityLogMaxFileSize: later(logFile('msExchTransportConnectivityLogFileSize', 10)),
  connectivityLogPath: later(logPath('msExchTransportConnectivityLogPath', 'logs/FrontEnd/Connectivity')),
  externalDNSAdapterEnabled: serviceSwitch(2, true, 'External lookups use the DNS servers of the system.'),
  externalDNSAdapterGuid: adapter('msExchTransportExternalDNSAdapterGuid'),
  externalDNSProtocolOption: dnsProtocol('msExchTransportExternalDNSProtocolOption'),
  externalDNSServers: servers('msExchTransportExternalDNSServers'),
  externalIPAddress: property({
    attribute: 'msExchTransportExternalIPAddress',
    syntax: ipAddress,
    default: null,
    help: 'Address to put into Received instead of the real one.',
    ...unbuilt,
  }),
  internalDNSAdapterEnabled: serviceSwitch(3, true, 'Internal lookups use the DNS servers of the system.'),
  internalDNSAdapterGuid: adapter('msExchTransportInternalDNSAdapterGuid'),
  internalDNSProtocolOption: dnsProtocol('msExchTransportInternalDNSProtocolOption'),
  internalDNSServers: servers('msExchTransportInternalDNSServers'),
  intraOrgConnectorProtocolLoggingLevel: property({
    attribute: 'msExchTransportIntraOrgConnectorProtocolLoggingLevel',
    syntax: { ...oneOf(['None', 'Verbose']), type: 'ProtocolLoggingLevel' },
    default: 'Verbose',
    help: 'Protocol log of connections to servers of the organization.',
    ...unbuilt,
  }),
  maxConnectionRatePerMinute: property({
    attribute: 'msExchSmtpReceiveMaxConnectionRatePerMinute',
    syntax: integer(1),
    default: 1200,
    help: 'New connections in a minute.',
    ...unbuilt,
  }),
  receiveProtocolLogMaxAge: later(logAge('msExchTransportMaxReceiveProtocolLogAge', 30)),
  receiveProtocolLogMaxDirectorySize: later(logFolder('msExchTransportMaxReceiveProtocolLogDirectorySize', 250)),
  receiveProtocolLogMaxFileSize: later(logFile('msExchTransportMaxReceiveProtocolLogFileSize', 10)),
  receiveProtocolLogPath: later(
    logPath('msExchTransportReceiveProtocolLogPath', 'logs/FrontEnd/ProtocolLog/SmtpReceive'),
  ),
  routingTableLogMaxAge: later(logAge('msExchTransportRoutingLogMaxAge', 7)),
  routingTableLogMaxDirectorySize: later(logFolder('msExchTransportRoutingLogMaxDirectorySize', 250)),
  routingTableLogPath: later(logPath('msExchTransportRoutingLogPath', 'logs/FrontEnd/Routing')),
  sendProtocolLogMaxAge: later(logAge('msExchTransportMaxSendProtocolLogAge', 30)),
  sendProtocolLogMaxDirectorySize: later(logFolder('msExchTransportMaxSendProtocolLogDirectorySize', 250)),
  sendProtocolLogMaxFileSize: later(logFile('msExchTransportMaxSendProtocolLogFileSize', 10)),
  sendProtocolLogPath: later(logPath('msExchTransportSendProtocolLogPath', 'logs/FrontEnd/ProtocolLog/SmtpSend')),
  transientFailureRetryCount: property({
    attribute: 'msExchTransportTransientFailureRetryCount',
    syntax: integer(0, 15),
    default: 6,
    help: 'Attempts to connect.',
    ...unbuilt,
  }),
  transientFailureRetryInterval: property({
    attribute: 'msExchTransportTransientFailureRetryInterval',
    syntax: timeSpan(1, 43_200),
    default: 300,
    help: 'Time between these attempts.',
    ...unbuilt,
  }),
  agentLogEnabled: serviceSwitch(11, true, 'Writes the agent log.'),
  agentLogMaxAge: later(logAge('msExchTransportAgentLogMaxAge', 7)),
  agentLogMaxDirectorySize: later(logFolder('msExchTransportAgentLogMaxDirectorySize', 250)),
  agentLogMaxFileSize: later(logFile('msExchTransportAgentLogMaxFileSize', 10)),
  agentLogPath: later(logPath('msExchTransportAgentLogPath', 'logs/FrontEnd/AgentLog')),
  dnsLogEnabled: serviceSwitch(12, false, 'Writes the DNS log.'),
  dnsLogMaxAge: later(logAge('msExchTransportDnsLogMaxAge', 7)),
  dnsLogMaxDirectorySize: later(logFolder('msExchTransportDnsLogMaxDirectorySize', 100)),
  dnsLogMaxFileSize: later(logFile('msExchTransportDnsLogMaxFileSize', 10)),
  dnsLogPath: property({
    attribute: 'msExchTransportDnsLogPath',
    syntax: text('LocalLongFullPath'),
    default: null,
    help: 'Folder of the DNS log; empty: none.',
    ...unbuilt,
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
};

/** The one list of the Front End Transport service's properties. */
export const frontEndTransportService: ObjectTable<typeof properties> = {
  noun: 'FrontendTransportService',
  title: 'Front End Transport service',
  objectClass: 'msExchExchangeTransportServer',
  objectClasses: ['top', 'msExchExchangeTransportServer'],
  scope: 'server',
  path: 'CN=Frontend',
  singleton: true,
  properties,
  rules: [],
};
