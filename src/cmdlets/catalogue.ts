/** All cmdlets: those that are built, and those that are only known by name. */

import type { Properties, ReceiveConnector, receiveConnector } from '../config/index.ts';
import { adminAuditCmdlets } from './admin-audit.ts';
import { edgeSubscriptionCmdlets } from './edge-subscription.ts';
import { edgeSyncServiceConfigCmdlets } from './edge-sync-service-config.ts';
import { edgeSynchronizationCmdlets } from './edge-synchronization.ts';
import { certificateCmdlets } from './exchange-certificate/certificate-cmdlets.ts';
import { exchangeCmdlets, type KnownCmdlet } from './exchange-cmdlets.ts';
import { exchangeDiagnosticInfo } from './mail-flow/exchange-diagnostic-info.ts';
import { viewOf } from './mail-flow/info-table.ts';
import { messageCmdlets } from './mail-flow/message.ts';
import { messageTable } from './mail-flow/message-properties.ts';
import { trackingCmdlets } from './mail-flow/message-tracking.ts';
import { queueCmdlets } from './mail-flow/queue.ts';
import { queueTable } from './mail-flow/queue-properties.ts';
import { redirectMessage } from './mail-flow/redirect-message.ts';
import { testReceiveConnector } from './mail-flow/test-receive-connector.ts';
import { testSmtpConnectivity } from './mail-flow/test-smtp-connectivity.ts';
import { tlsReportCmdlets } from './mail-flow/tls-report.ts';
import { adPermissionCmdlets } from './objects/ad-permission.ts';
import { configureAdam } from './objects/configure-adam.ts';
import { acceptedDomainKind, remoteDomainKind } from './objects/domains.ts';
import { objectCmdlets } from './objects/object-cmdlets.ts';
import type { ObjectKind, Request } from './objects/object-kind.ts';
import { receiveConnectorKind } from './objects/receive-connector.ts';
import { recipientFilterConfigKind } from './objects/recipient-filter-config.ts';
import { sendConnectorKind } from './objects/send-connector.ts';
import {
  exchangeServerKind,
  frontEndTransportServiceKind,
  mailboxTransportServiceKind,
  transportConfigKind,
  transportServerKind,
  transportServiceKind,
} from './objects/services.ts';
import { notImplemented } from './parameter-values.ts';
import { parametersOf } from './parameters.ts';
import { type Cmdlet, type CmdletCatalogue, type DefaultView, quietly } from './runtime.ts';

const views: Readonly<Record<string, DefaultView>> = {
  ADAcePresentationObject: { kind: 'table', columns: ['Identity', 'User', 'Deny', 'Inherited'] },
  ...viewOf(queueTable),
  ...viewOf(messageTable(false)),
  QueueDigestPresentationObject: {
    kind: 'table',
    columns: [
      'GroupByValue',
      'MessageCount',
      'DeferredMessageCount',
      'LockedMessageCount',
      'StaleMessageCount',
      'Details',
    ],
  },
  MessageTrackingEvent: { kind: 'table', columns: ['EventId', 'Source', 'Sender', 'Recipients', 'MessageSubject'] },
  X509Certificate2: { kind: 'table', columns: ['Thumbprint', 'Services', 'Subject'] },
  TlsReport: {
    kind: 'table',
    columns: ['Day', 'Domain', 'State', 'SuccessfulSessions', 'FailedSessions', 'Submissions'],
  },
  AcmeCertificate: { kind: 'table', columns: ['DomainName', 'NotAfter', 'Thumbprint', 'Held', 'Failure'] },
  TlsReportKey: { kind: 'list', columns: [] },
  TlsCertificateSelection: { kind: 'table', columns: ['Connector', 'Selected', 'Thumbprint', 'Reason'] },
  AdminAuditLogEvent: { kind: 'list', columns: [] },
  SmtpConnectivityStatus: {
    kind: 'table',
    columns: ['ReceiveConnector', 'Binding', 'EndPoint', 'StatusCode', 'Details'],
  },
  ReceiveConnectorTest: { kind: 'table', columns: ['Kind', 'Item', 'Result', 'Reason', 'Remedy'] },
  ResourceMeter: {
    kind: 'table',
    columns: ['Resource', 'CurrentResourceUse', 'Pressure', 'PressureTransitions', 'Worker'],
  },
  EdgeSubscription: { kind: 'table', columns: ['Name', 'Site', 'Domain'] },
  EdgeSubscriptionFile: { kind: 'list', columns: ['FileName'] },
  EdgeSyncResult: {
    kind: 'list',
    columns: [],
  },
  EdgeSyncRecipientStatus: { kind: 'list', columns: [] },
  EdgeSyncServiceConfig: { kind: 'list', columns: [] },
  EdgeSynchronizationStatus: { kind: 'list', columns: [] },
  TransportPipelineEvent: { kind: 'table', columns: ['Event', 'TransportAgents'] },
};

/** One kind, with its type of properties closed over. */
function bind<P extends Properties>(
  kind: ObjectKind<P>,
): { cmdlets: readonly Cmdlet[]; typeName: string; view: DefaultView } {
  return { cmdlets: objectCmdlets(kind), typeName: kind.noun ?? kind.table.noun, view: kind.view };
}

/** A cmdlet of which name and parameters are known, and no more. */
function unbuilt(name: string, known: KnownCmdlet): Cmdlet {
  const where = known.availability === 'mailbox-only' ? ' (Mailbox servers only)' : '';
  return {
    name,
    synopsis: `${known.purpose === '' ? name : known.purpose}${where}`,
    parameters: parametersOf(known),
    supportsShouldProcess: known.common.includes('WhatIf'),
    examples: [],
    notImplementedYet: true,
    run: () => quietly(() => Promise.reject(notImplemented(name))),
  };
}

/**
 * What speaks against the certificate behind a new TlsCertificateName: that there is none is told, TLSA records that it does not
 * meet are asked about. Loaded where certificates are, not by each prompt.
 */
async function certificateCautions(
  { context, bound }: Request<typeof receiveConnector.properties>,
  after: ReceiveConnector,
): Promise<readonly string[]> {
  if (!bound.has('TlsCertificateName') || context.certificates === undefined) return [];
  const { warnOfNone } = await import('./exchange-certificate/test-selection.ts');
  await warnOfNone(context, after);
  if (context.dns === undefined) return [];
  const { tlsaWarningsOfChoice } = await import('./exchange-certificate/tlsa-record.ts');
  return tlsaWarningsOfChoice(context, after);
}

/** Makes the catalogue. Every cmdlet of Exchange's transport is in it; what is not built refuses when it runs. */
export function cmdletCatalogue(): CmdletCatalogue {
  const kinds = [
    bind({ ...receiveConnectorKind, cautions: certificateCautions }),
    bind(sendConnectorKind),
    bind(acceptedDomainKind),
    bind(remoteDomainKind),
    bind(transportServiceKind),
    bind(transportServerKind),
    bind(frontEndTransportServiceKind),
    bind(mailboxTransportServiceKind),
    bind(transportConfigKind),
    bind(exchangeServerKind),
    bind(recipientFilterConfigKind),
  ];
  const built = [
    ...kinds.flatMap((kind) => kind.cmdlets),
    ...adPermissionCmdlets,
    ...queueCmdlets,
    ...messageCmdlets,
    ...trackingCmdlets,
    ...adminAuditCmdlets,
    ...certificateCmdlets,
    ...tlsReportCmdlets,
    testSmtpConnectivity,
    testReceiveConnector,
    exchangeDiagnosticInfo,
    redirectMessage,
    configureAdam,
    ...edgeSubscriptionCmdlets,
    ...edgeSyncServiceConfigCmdlets,
    ...edgeSynchronizationCmdlets,
  ];
  const byName = new Map(
    Object.entries(exchangeCmdlets).map(([name, known]) => [name.toLowerCase(), unbuilt(name, known)]),
  );
  for (const cmdlet of built) byName.set(cmdlet.name.toLowerCase(), cmdlet);
  return {
    find: (name) => byName.get(name.toLowerCase()),
    all: [...byName.values()],
    views: new Map([...Object.entries(views), ...kinds.map(({ typeName, view }) => [typeName, view] as const)]),
  };
}
