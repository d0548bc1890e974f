/**
 * Parameters of Exchange that cannot mean anything here, with the reason. They are kept and shown, so that scripts and subscriptions
 * go through, and a line that sets one is told so. What is missing and could be built does not belong here.
 */

import { type AnyProperty, type Properties, propertyName } from './property.ts';

type Row = readonly [noun: string, name: RegExp, reason: string];

const noShadow =
  'shadow redundancy and Safety Net are functions of Mailbox servers; here a message is on disk before it is answered';
const noConversion = 'messages are passed on as they came; the content of mailboxes is converted on the Mailbox server';
const noSync = 'mail is not fetched from other accounts';

const rows: readonly Row[] = [
  ['ReceiveConnector', /^OrarEnabled$/, 'XORAR is of X.400: no client of today sends it'],
  ['ReceiveConnector', /^LongAddressesEnabled$/, 'XLONGADDR is for X.400 addresses'],
  ['ReceiveConnector', /^AdvertiseClientSettings$/, 'there is no Outlook on the web that could show it'],
  ['ReceiveConnector', /^ServiceDiscoveryFqdn$/, 'there is no Autodiscover service'],
  ['ReceiveConnector', /^EnableAuthGSSAPI$/, 'Kerberos needs a domain, and the appliance is no member of one'],
  [
    'ReceiveConnector',
    /^ExtendedProtectionPolicy$/,
    'it is about Integrated Windows authentication, which is never offered',
  ],
  ['ReceiveConnector', /^MaxAcknowledgementDelay$/, noShadow],
  ['SendConnector', /^FrontendProxyEnabled$/, 'there is no Front End Transport service to send through'],
  ['SendConnector', /^ConnectorType$/, 'connectors between premises are told apart by their certificates here'],
  ['SendConnector', /^IsScopedConnector$/, 'a scope is an Active Directory site, and this is one server'],
  ['RemoteDomain', /^TargetDeliveryDomain$/, 'it is for mailboxes that are moved to Exchange Online'],
  ['RemoteDomain', /^TNEFEnabled$/, noConversion],
  ['RemoteDomain', /^UseSimpleDisplayName$/, 'there is no directory of simple display names'],
  ['RemoteDomain', /^MeetingForwardNotificationEnabled$/, 'Mailbox servers make and suppress these notifications'],
  [
    'RemoteDomain',
    /^TrustedMail(?:In|Out)boundEnabled$/,
    'a domain proves nothing about a peer: use TlsSenderCertificateName or ExternalAuthoritative',
  ],
  [
    'TransportService',
    /^(?:External|Internal)DNSAdapterGuid$/,
    'Linux has no network adapters with DNS servers of their own',
  ],
  ['TransportService', /^Irm/, 'there is no rights management'],
  ['TransportService', /^RequestBroker/, 'there is no request broker'],
  ['TransportService', /^TransportHttp/, 'there is no transport service by HTTP'],
  ['TransportService', /^TransportMaintenance/, 'it is the maintenance of the queue database of Exchange'],
  ['TransportService', /^Wlm/, 'it is the workload management of Windows'],
  ['TransportService', /^(?:TransportSync|WindowsLiveHotmailTransportSync)/, noSync],
  ['TransportService', /^RootDropDirectoryPath$/, 'there are no foreign connectors'],
  ['TransportService', /^MaxConcurrentMailboxSubmissions$/, 'nothing is submitted from mailboxes'],
  [
    'TransportService',
    /^IntraOrgConnector/,
    'servers of the organization are reached by send connectors, whose ProtocolLoggingLevel and SmtpMaxMessagesPerConnection act',
  ],
  [
    'TransportService',
    /^RecipientValidationCacheEnabled$/,
    'recipients are looked up in the memory of the worker: there is no answer to wait for',
  ],
  ['TransportService', /^UseDowngradedExchangeServerAuth$/, 'X-ANONYMOUSTLS and X-EXPS are never offered'],
  ['TransportService', /^ContentConversionTracingEnabled$/, noConversion],
  ['TransportService', /^ActiveUserStatistics/, 'statistics of users are made from mailboxes'],
  ['TransportConfig', /^AddressBookPolicyRoutingEnabled$/, 'there is no address book'],
  ['TransportConfig', /^(?:ClearCategories|ConvertDisclaimerWrapperToEml|Rfc2231EncodingEnabled)$/, noConversion],
  ['TransportConfig', /^(?:DSNConversionMode|HeaderPromotionModeSetting)$/, noConversion],
  [
    'TransportConfig',
    /^(?:DiagnosticsAggregationServicePort|QueueDiagnosticsAggregationInterval)$/,
    'queues are asked for on the server that has them',
  ],
  ['TransportConfig', /^MaxDumpster/, noShadow],
  ['TransportConfig', /Shadow|^SafetyNetHoldTime$/, noShadow],
  ['TransportConfig', /^VoicemailJournalingEnabled$/, 'journal reports are made on Mailbox servers'],
  ['TransportConfig', /^SupervisionTags$/, 'it is the supervision of mailboxes'],
  [
    'TransportConfig',
    /^TransportRuleAttachmentTextScanLimit$/,
    'rules of an Edge server do not read inside attachments',
  ],
  ['TransportConfig', /^VerifySecureSubmitEnabled$/, 'nothing is submitted by MAPI'],
  ['TransportConfig', /^Xexch50Enabled$/, 'XEXCH50 is of Exchange 2003'],
];

/** Why a property cannot mean anything here; undefined: it acts, or is still to be built. */
function withoutMeaning(noun: string, name: string): string | undefined {
  return rows.find(([of, pattern]) => of === noun && pattern.test(name))?.[2];
}

/** The rows of a noun, those without meaning with their reason: they may be set. */
export function withReasons<P extends Properties>(noun: string, properties: P): P {
  const marked = Object.entries(properties).map(([field, row]): [string, AnyProperty] => {
    const reason = withoutMeaning(noun, propertyName(field, row));
    if (reason === undefined) return [field, row];
    const { notImplementedYet: _, builtFor: __, ...kept } = row;
    return [field, { ...kept, withoutMeaning: reason, help: `${row.help} Kept without effect: ${reason}.` }];
  });
  return Object.fromEntries(marked) as P;
}

/** The table, for its test. */
export const parametersWithoutMeaning: readonly Row[] = rows;
