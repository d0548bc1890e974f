/** The Mailbox Transport services (Submission, Delivery) of a Mailbox server. Kept and shown; nothing obeys it yet. */
import { adminDisplayNameRow, exchangeVersionRow } from '../properties/fixed-properties.ts';
import { logAge, logFile, logFolder, logPath } from '../properties/log-properties.ts';
import { smtpAddress } from '../properties/network-syntaxes.ts';
import type { ObjectTable } from '../properties/object-table.ts';
import { later, property } from '../properties/property.ts';
import { integer, oneOf, orUnlimited, yesNo } from '../properties/syntaxes.ts';

/** Bits of msExchTransportFlags; ours, those of the transport service and some above them. */
const serviceFlags = 'msExchTransportFlags';
const unbuilt = { notImplementedYet: true } as const;

const serviceSwitch = (bit: number, on: boolean, help: string) =>
  property({ attribute: serviceFlags, bit, syntax: yesNo, default: on, help, ...unbuilt });

const properties = {
  connectivityLogEnabled: serviceSwitch(1, true, 'Writes the connectivity log.'),
  connectivityLogMaxAge: later(logAge('msExchTransportMaxConnectivityLogAge', 30)),
  connectivityLogMaxDirectorySize: later(logFolder('msExchTransportConnectivityLogDirectorySize', 1000)),
  connectivityLogMaxFileSize: later(logFile('msExchTransportConnectivityLogFileSize', 10)),
  connectivityLogPath: later(logPath('msExchTransportConnectivityLogPath', 'logs/Mailbox/Connectivity')),
  contentConversionTracingEnabled: serviceSwitch(8, false, 'Keeps messages whose conversion failed.'),
  mailboxDeliveryAgentLogEnabled: serviceSwitch(14, true, 'Writes the agent log of delivery.'),
  mailboxDeliveryAgentLogMaxAge: later(logAge('msExchTransportMailboxDeliveryAgentLogMaxAge', 7)),
  mailboxDeliveryAgentLogMaxDirectorySize: later(
    logFolder('msExchTransportMailboxDeliveryAgentLogMaxDirectorySize', 250),
  ),
  mailboxDeliveryAgentLogMaxFileSize: later(logFile('msExchTransportMailboxDeliveryAgentLogMaxFileSize', 10)),
  mailboxDeliveryAgentLogPath: later(
    logPath('msExchTransportMailboxDeliveryAgentLogPath', 'logs/Mailbox/AgentLog/Delivery'),
  ),
  mailboxDeliveryConnectorMaxInboundConnection: property({
    attribute: 'msExchTransportMailboxDeliveryConnectorMaxInboundConnections',
    syntax: orUnlimited(integer(1)),
    default: 5000,
    help: 'Sessions at a time of the delivery connector.',
    ...unbuilt,
  }),
  mailboxDeliveryConnectorProtocolLoggingLevel: property({
    attribute: 'msExchTransportMailboxDeliveryConnectorProtocolLoggingLevel',
    syntax: { ...oneOf(['None', 'Verbose']), type: 'ProtocolLoggingLevel' },
    default: 'None',
    help: 'Protocol log of the delivery connector.',
    ...unbuilt,
  }),
  mailboxDeliveryConnectorSmtpUtf8Enabled: serviceSwitch(15, true, 'The delivery connector offers SMTPUTF8.'),
  mailboxDeliveryThrottlingLogEnabled: serviceSwitch(16, true, 'Writes the throttling log.'),
  mailboxDeliveryThrottlingLogMaxAge: later(logAge('msExchTransportMailboxDeliveryThrottlingLogMaxAge', 7)),
  mailboxDeliveryThrottlingLogMaxDirectorySize: later(
    logFolder('msExchTransportMailboxDeliveryThrottlingLogMaxDirectorySize', 200),
  ),
  mailboxDeliveryThrottlingLogMaxFileSize: later(logFile('msExchTransportMailboxDeliveryThrottlingLogMaxFileSize', 10)),
  mailboxDeliveryThrottlingLogPath: later(
    logPath('msExchTransportMailboxDeliveryThrottlingLogPath', 'logs/Throttling/Delivery'),
  ),
  mailboxSubmissionAgentLogEnabled: serviceSwitch(17, true, 'Writes the agent log of submission.'),
  mailboxSubmissionAgentLogMaxAge: later(logAge('msExchTransportMailboxSubmissionAgentLogMaxAge', 7)),
  mailboxSubmissionAgentLogMaxDirectorySize: later(
    logFolder('msExchTransportMailboxSubmissionAgentLogMaxDirectorySize', 250),
  ),
  mailboxSubmissionAgentLogMaxFileSize: later(logFile('msExchTransportMailboxSubmissionAgentLogMaxFileSize', 10)),
  mailboxSubmissionAgentLogPath: later(
    logPath('msExchTransportMailboxSubmissionAgentLogPath', 'logs/Mailbox/AgentLog/Submission'),
  ),
  maxConcurrentMailboxDeliveries: property({
    attribute: 'msExchTransportMaxConcurrentMailboxDeliveries',
    syntax: integer(1, 256),
    default: 20,
    help: 'Deliveries into mailboxes at a time.',
    ...unbuilt,
  }),
  maxConcurrentMailboxSubmissions: property({
    attribute: 'msExchTransportMaxConcurrentMailboxSubmissions',
    syntax: integer(1, 256),
    default: 20,
    help: 'Submissions from mailboxes at a time.',
    ...unbuilt,
  }),
  pipelineTracingEnabled: serviceSwitch(7, false, 'Keeps a copy of each message after each agent.'),
  pipelineTracingPath: later(logPath('msExchTransportPipelineTracingPath', 'logs/Mailbox/PipelineTracing')),
  pipelineTracingSenderAddress: property({
    attribute: 'msExchTransportPipelineTracingSenderAddress',
    syntax: smtpAddress,
    default: null,
    help: 'Sender whose messages are traced.',
    ...unbuilt,
  }),
  receiveProtocolLogMaxAge: later(logAge('msExchTransportMaxReceiveProtocolLogAge', 30)),
  receiveProtocolLogMaxDirectorySize: later(logFolder('msExchTransportMaxReceiveProtocolLogDirectorySize', 250)),
  receiveProtocolLogMaxFileSize: later(logFile('msExchTransportMaxReceiveProtocolLogFileSize', 10)),
  receiveProtocolLogPath: later(
    logPath('msExchTransportReceiveProtocolLogPath', 'logs/Mailbox/ProtocolLog/SmtpReceive'),
  ),
  routingTableLogMaxAge: later(logAge('msExchTransportRoutingLogMaxAge', 7)),
  routingTableLogMaxDirectorySize: later(logFolder('msExchTransportRoutingLogMaxDirectorySize', 250)),
  routingTableLogPath: later(logPath('msExchTransportRoutingLogPath', 'logs/Mailbox/Routing')),
  sendProtocolLogMaxAge: later(logAge('msExchTransportMaxSendProtocolLogAge', 30)),
  sendProtocolLogMaxDirectorySize: later(logFolder('msExchTransportMaxSendProtocolLogDirectorySize', 250)),
  sendProtocolLogMaxFileSize: later(logFile('msExchTransportMaxSendProtocolLogFileSize', 10)),
  sendProtocolLogPath: later(logPath('msExchTransportSendProtocolLogPath', 'logs/Mailbox/ProtocolLog/SmtpSend')),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
};

/** The one list of the Mailbox Transport services' properties. */
export const mailboxTransportService: ObjectTable<typeof properties> = {
  noun: 'MailboxTransportService',
  title: 'Mailbox Transport service',
  objectClass: 'msExchExchangeTransportServer',
  objectClasses: ['top', 'msExchExchangeTransportServer'],
  scope: 'server',
  path: 'CN=Mailbox',
  singleton: true,
  properties,
  rules: [],
};
