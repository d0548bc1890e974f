/** All cmdlets: those that are built, and those that are only known by name. */
import type { Properties } from '../config/index.ts';
import { adPermissionCmdlets } from './ad-permission.ts';
import { adminAuditCmdlets } from './admin-audit.ts';
import { notImplemented } from './changes.ts';
import { configureAdam } from './configure-adam.ts';
import { acceptedDomainKind, remoteDomainKind } from './domains.ts';
import { edgeSubscriptionCmdlets } from './edge-subscription.ts';
import { edgeSynchronizationCmdlets } from './edge-synchronization.ts';
import { certificateCmdlets } from './exchange-certificate/certificate-cmdlets.ts';
import { exchangeCmdlets, type KnownCmdlet } from './exchange-cmdlets.ts';
import { messageCmdlets } from './message.ts';
import { trackingCmdlets } from './message-tracking.ts';
import { objectCmdlets } from './object-cmdlets.ts';
import type { ObjectKind } from './object-kind.ts';
import { parametersOf } from './parameters.ts';
import { queueCmdlets } from './queue.ts';
import { receiveConnectorKind } from './receive-connector.ts';
import { recipientFilterConfigKind } from './recipient-filter-config.ts';
import { redirectMessage } from './redirect-message.ts';
import { type Cmdlet, type CmdletCatalogue, type DefaultView, quietly } from './runtime.ts';
import { sendConnectorKind } from './send-connector.ts';
import {
  exchangeServerKind,
  frontEndTransportServiceKind,
  mailboxTransportServiceKind,
  transportConfigKind,
  transportServerKind,
  transportServiceKind,
} from './services.ts';
import { testSmtpConnectivity } from './test-smtp-connectivity.ts';

const views: Readonly<Record<string, DefaultView>> = {
  ADAcePresentationObject: { kind: 'table', columns: ['Identity', 'User', 'Deny', 'Inherited'] },
  ExtensibleQueueInfo: {
    kind: 'table',
    columns: [
      'Identity',
      'DeliveryType',
      'Status',
      'MessageCount',
      'Velocity',
      'RiskLevel',
      'OutboundIPPool',
      'NextHopDomain',
    ],
  },
  ExtensibleMessageInfo: { kind: 'table', columns: ['Identity', 'FromAddress', 'Status', 'Size', 'SCL', 'Subject'] },
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
  TlsCertificateSelection: { kind: 'table', columns: ['Connector', 'Selected', 'Thumbprint', 'Reason'] },
  AdminAuditLogEvent: { kind: 'list', columns: [] },
  SmtpConnectivityStatus: {
    kind: 'table',
    columns: ['ReceiveConnector', 'Binding', 'EndPoint', 'StatusCode', 'Details'],
  },
  EdgeSubscription: { kind: 'table', columns: ['Name', 'Site', 'Domain'] },
  EdgeSubscriptionFile: { kind: 'list', columns: ['FileName'] },
  EdgeSyncResult: {
    kind: 'list',
    columns: [],
  },
  EdgeSyncRecipientStatus: { kind: 'list', columns: [] },
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

/** Makes the catalogue. Every cmdlet of Exchange's transport is in it; what is not built refuses when it runs. */
export function cmdletCatalogue(): CmdletCatalogue {
  const kinds = [
    bind(receiveConnectorKind),
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
    testSmtpConnectivity,
    redirectMessage,
    configureAdam,
    ...edgeSubscriptionCmdlets,
    ...edgeSynchronizationCmdlets,
  ];
  const byName = new Map(
    Object.entries(exchangeCmdlets).map(([name, known]) => [name.toLowerCase(), unbuilt(name, known)]),
  );
  for (const cmdlet of built) byName.set(cmdlet.name.toLowerCase(), cmdlet);
  const allViews = new Map([...Object.entries(views), ...kinds.map(({ typeName, view }) => [typeName, view] as const)]);
  return {
    find: (name) => byName.get(name.toLowerCase()),
    all: [...byName.values()],
    view: (typeName) => allViews.get(typeName),
  };
}
