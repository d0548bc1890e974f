/** Settings of the whole organization: limits, delivery status notifications, shadow redundancy, secure domains. */
import type { IpRange } from '../../base/index.ts';
import { reportLanguages } from '../../mail/index.ts';
import { adminDisplayNameRow, exchangeVersionRow, textList } from '../properties/fixed-properties.ts';
import { domain, domainList, ipRanges, smtpAddress } from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property } from '../properties/property.ts';
import { byteSize, integer, list, oneOf, orUnlimited, requiredText, timeSpan, yesNo } from '../properties/syntaxes.ts';
import { withReasons } from '../properties/without-meaning.ts';

const MB = 1024 ** 2;
const aDay = 86_400;
const longest = 2_147_483_647;

/** Bits of msExchTransportSettingsFlags; ours. */
const settingsFlags = 'msExchTransportSettingsFlags';

const unbuilt = { notImplementedYet: true } as const;
/** A switch; `built`: the one state that is true as things stand. */
const settingsSwitch = (bit: number, on: boolean, help: string, built?: boolean) =>
  property({
    attribute: settingsFlags,
    bit,
    syntax: yesNo,
    default: on,
    help,
    ...unbuilt,
    builtFor: (value) => value === built,
  });

const actingSwitch = (bit: number, on: boolean, help: string) =>
  property({ attribute: settingsFlags, bit, syntax: yesNo, default: on, help });

const culture = requiredText('CultureInfo', (value) => {
  if (!/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(value))
    throw new RangeError(`'${value}' is not a language such as en-US`);
  return value;
});

const languages = reportLanguages.join(', ');

function untranslated(tag: string): string | undefined {
  const [language = ''] = tag.toLowerCase().split('-', 1);
  if (reportLanguages.includes(language)) return undefined;
  return `There are no report texts in ${tag}, so they will be English. There are texts in: ${languages}.`;
}

/** An address, or '<>'. */
const reverseAddress = requiredText('SmtpAddress', (value) =>
  value === '<>' ? value : String(smtpAddress.parse(value)),
);

/** Enhanced status codes: '5.4.8'. */
const statusCodes = list((value) => {
  if (!/^[245]\.\d{1,3}\.\d{1,3}$/.test(value)) throw new RangeError(`'${value}' is not a status code such as 5.4.8`);
  return value;
}, String);

const properties = {
  addressBookPolicyRoutingEnabled: settingsSwitch(0, false, 'Resolves recipients by address book policy.'),
  agentGeneratedMessageLoopDetectionInSubmissionEnabled: actingSwitch(
    1,
    false,
    'Files of the Pickup and Replay folders that agents made of each other too often are refused.',
  ),
  agentGeneratedMessageLoopDetectionInSmtpEnabled: actingSwitch(
    2,
    false,
    'Messages by SMTP that agents made of each other too often are refused.',
  ),
  clearCategories: settingsSwitch(3, true, 'Outlook categories are removed.'),
  convertDisclaimerWrapperToEml: settingsSwitch(4, false, 'Wraps a message under a disclaimer as a file.'),
  dsnConversionMode: property({
    name: 'DSNConversionMode',
    attribute: 'msExchTransportDSNConversionMode',
    syntax: { ...oneOf(['UseExchangeDSNs', 'PreserveDSNBody', 'DoNotConvert']), type: 'DSNConversionOption' },
    default: 'PreserveDSNBody',
    notImplementedYet: true,
    help: 'How reports of other systems are shown.',
  }),
  diagnosticsAggregationServicePort: property({
    attribute: 'msExchTransportDiagnosticsAggregationServicePort',
    syntax: integer(1, 65_535),
    default: 9710,
    notImplementedYet: true,
    help: 'Port of the diagnostics service.',
  }),
  externalDelayDsnEnabled: actingSwitch(5, true, 'Senders outside are told of delays.'),
  externalDsnDefaultLanguage: property({
    attribute: 'msExchTransportExternalDefaultLanguage',
    syntax: culture,
    default: 'en-US',
    remark: untranslated,
    help: `Language of reports to senders outside: ${languages}.`,
  }),
  externalDsnLanguageDetectionEnabled: actingSwitch(
    6,
    true,
    'Reports to senders outside are in their language: Accept-Language of the message, else Content-Language.',
  ),
  externalDsnMaxMessageAttachSize: property({
    attribute: 'msExchTransportExternalMaxDSNMessageAttachmentSize',
    syntax: byteSize(0),
    default: 10 * MB,
    help: 'Largest original that is returned whole to senders outside.',
  }),
  externalDsnReportingAuthority: property({
    attribute: 'msExchTransportExternalDSNReportingAuthority',
    syntax: domain,
    default: null,
    help: 'Domain that reports to senders outside come from.',
  }),
  externalDsnSendHtml: actingSwitch(7, true, 'Reports to senders outside are HTML beside plain text.'),
  externalPostmasterAddress: property({
    attribute: 'msExchTransportExternalPostmasterAddress',
    syntax: smtpAddress,
    default: null,
    help: 'From of reports to senders outside. Empty: postmaster@ the default domain.',
  }),
  generateCopyOfDSNFor: property({
    attribute: 'msExchTransportGenerateCopyOfDSNFor',
    syntax: statusCodes,
    default: [],
    help: 'Status codes whose reports are copied to the postmaster.',
  }),
  headerPromotionModeSetting: property({
    attribute: 'msExchTransportHeaderPromotionModeSetting',
    syntax: { ...oneOf(['NoCreate', 'MayCreate', 'MustCreate']), type: 'HeaderPromotionMode' },
    default: 'NoCreate',
    notImplementedYet: true,
    help: 'Whether named properties are made from X- header fields.',
  }),
  internalDelayDsnEnabled: actingSwitch(8, true, 'Senders inside are told of delays.'),
  internalDsnDefaultLanguage: property({
    attribute: 'msExchTransportInternalDefaultLanguage',
    syntax: culture,
    default: 'en-US',
    remark: untranslated,
    help: `Language of reports to senders inside: ${languages}.`,
  }),
  internalDsnLanguageDetectionEnabled: actingSwitch(
    9,
    true,
    'Reports to senders inside are in their language: Accept-Language of the message, else Content-Language.',
  ),
  internalDsnMaxMessageAttachSize: property({
    attribute: 'msExchTransportInternalMaxDSNMessageAttachmentSize',
    syntax: byteSize(0),
    default: 10 * MB,
    help: 'Largest original that is returned whole to senders inside.',
  }),
  internalDsnReportingAuthority: property({
    attribute: 'msExchTransportInternalDSNReportingAuthority',
    syntax: domain,
    default: null,
    help: 'Domain that reports to senders inside come from.',
  }),
  internalDsnSendHtml: actingSwitch(10, true, 'Reports to senders inside are HTML beside plain text.'),
  internalSMTPServers: property({
    attribute: 'msExchInternalSMTPServers',
    syntax: ipRanges,
    default: [] as readonly IpRange[],
    help: 'Own mail servers in front of this one: skipped when the tracking log tells where a message comes from (OriginalClientIp).',
  }),
  journalingReportNdrTo: property({
    attribute: 'msExchJournalingReportNdrTo',
    syntax: reverseAddress,
    default: '<>',
    help: 'Who gets the non-delivery reports of journal reports (X-MS-Journal-Report); <>: their senders.',
  }),
  maxAllowedAgentGeneratedMessageDepth: property({
    attribute: 'msExchTransportMaxAgentGeneratedMessageDepth',
    syntax: integer(0),
    default: 3,
    help: 'X-MS-Exchange-Generated-Message-Source fields that a message may have, where loop detection is on.',
  }),
  maxAllowedAgentGeneratedMessageDepthPerAgent: property({
    attribute: 'msExchTransportMaxAgentGeneratedMessageDepthPerAgent',
    syntax: integer(0),
    default: 2,
    help: 'The same for one agent.',
  }),
  maxDumpsterSizePerDatabase: property({
    attribute: 'msExchMaxDumpsterSizePerStorageGroup',
    syntax: byteSize(0, longest * 1024),
    default: 18 * MB,
    notImplementedYet: true,
    help: 'Exchange 2010 only.',
  }),
  maxDumpsterTime: property({
    attribute: 'msExchMaxDumpsterTime',
    syntax: timeSpan(0, longest),
    default: 7 * aDay,
    notImplementedYet: true,
    help: 'Exchange 2010 only.',
  }),
  maxReceiveSize: property({
    attribute: 'delivContLength',
    syntax: orUnlimited(byteSize(0, 2_147_482_624)),
    default: 10 * MB,
    help: 'Largest message that recipients of the organization receive.',
  }),
  maxRecipientEnvelopeLimit: property({
    attribute: 'msExchRecipLimit',
    syntax: orUnlimited(integer(0)),
    default: 500,
    help: 'Recipients of one message.',
  }),
  maxRetriesForLocalSiteShadow: property({
    attribute: 'msExchTransportMaxRetriesForLocalSiteShadow',
    syntax: integer(0, 255),
    default: 2,
    notImplementedYet: true,
    help: 'Attempts for a shadow copy in the same site.',
  }),
  maxRetriesForRemoteSiteShadow: property({
    attribute: 'msExchTransportMaxRetriesForRemoteSiteShadow',
    syntax: integer(0, 255),
    default: 4,
    notImplementedYet: true,
    help: 'Attempts for a shadow copy in another site.',
  }),
  maxSendSize: property({
    attribute: 'submissionContLength',
    syntax: orUnlimited(byteSize(0, 2_147_482_624)),
    default: 10 * MB,
    help: 'Largest message that senders of the organization send.',
  }),
  queueDiagnosticsAggregationInterval: property({
    attribute: 'msExchTransportQueueDiagnosticsAggregationInterval',
    syntax: timeSpan(1, aDay),
    default: 60,
    notImplementedYet: true,
    help: 'How often queue figures are exchanged.',
  }),
  rejectMessageOnShadowFailure: settingsSwitch(11, false, 'Refuses a message that cannot be made redundant.'),
  rfc2231EncodingEnabled: settingsSwitch(12, false, 'MIME parameters by RFC 2231.'),
  safetyNetHoldTime: property({
    attribute: 'msExchTransportSafetyNetHoldTime',
    syntax: timeSpan(15, longest),
    default: 2 * aDay,
    notImplementedYet: true,
    help: 'How long delivered messages are kept.',
  }),
  shadowHeartbeatFrequency: property({
    attribute: 'msExchTransportShadowHeartbeatFrequency',
    syntax: timeSpan(1, aDay),
    default: 120,
    notImplementedYet: true,
    help: 'How often a shadow server asks for the state.',
  }),
  shadowHeartbeatRetryCount: property({
    attribute: 'msExchTransportShadowHeartbeatRetryCount',
    syntax: integer(1, 15),
    default: 12,
    notImplementedYet: true,
    help: 'Exchange 2010 only.',
  }),
  shadowHeartbeatTimeoutInterval: property({
    attribute: 'msExchTransportShadowHeartbeatTimeoutInterval',
    syntax: timeSpan(1, aDay),
    default: 900,
    notImplementedYet: true,
    help: 'Exchange 2010 only.',
  }),
  shadowMessageAutoDiscardInterval: property({
    attribute: 'msExchTransportShadowMessageAutoDiscardInterval',
    syntax: timeSpan(5, 90 * aDay),
    default: 2 * aDay,
    notImplementedYet: true,
    help: 'How long discard events are kept.',
  }),
  shadowMessagePreferenceSetting: property({
    attribute: 'msExchTransportShadowMessagePreferenceSetting',
    syntax: { ...oneOf(['PreferRemote', 'LocalOnly', 'RemoteOnly']), type: 'ShadowMessagePreference' },
    default: 'PreferRemote',
    notImplementedYet: true,
    help: 'Where shadow copies go.',
  }),
  shadowRedundancyEnabled: settingsSwitch(13, true, 'Shadow redundancy.'),
  shadowResubmitTimeSpan: property({
    attribute: 'msExchTransportShadowResubmitTimeSpan',
    syntax: timeSpan(1, aDay),
    default: 10_800,
    notImplementedYet: true,
    help: 'Time after which a shadow server takes over.',
  }),
  supervisionTags: property({
    attribute: 'msExchTransportSupervisionTags',
    syntax: textList,
    default: ['Reject', 'Allow'],
    notImplementedYet: true,
    help: 'Tags of supervision.',
  }),
  tlsReceiveDomainSecureList: property({
    name: 'TLSReceiveDomainSecureList',
    attribute: 'msExchTLSReceiveDomainSecureList',
    syntax: domainList,
    default: [],
    help: 'Domains that mutual TLS is asked of.',
  }),
  tlsSendDomainSecureList: property({
    name: 'TLSSendDomainSecureList',
    attribute: 'msExchTLSSendDomainSecureList',
    syntax: domainList,
    default: [],
    help: 'Domains that mail goes to with mutual TLS.',
  }),
  transportRuleAttachmentTextScanLimit: property({
    attribute: 'msExchTransportRuleAttachmentTextScanLimit',
    syntax: byteSize(0),
    default: MB,
    notImplementedYet: true,
    help: 'Text of an attachment that rules look at.',
  }),
  verifySecureSubmitEnabled: settingsSwitch(14, false, 'Checks that Outlook submits securely.'),
  voicemailJournalingEnabled: settingsSwitch(15, true, 'Voice mail is journaled.'),
  xexch50Enabled: property({
    attribute: settingsFlags,
    bit: 16,
    syntax: yesNo,
    default: true,
    notImplementedYet: true,
    help: 'Offers XEXCH50 to old servers.',
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow('0.1 (8.0.535.0)'),
};

/** The one list of the organization's transport settings. */
export const transportConfig: ObjectTable<typeof properties> = {
  noun: 'TransportConfig',
  title: 'Transport configuration',
  objectClass: 'msExchTransportSettings',
  objectClasses: ['top', 'container', 'msExchTransportSettings'],
  scope: 'organization',
  path: 'CN=Transport Settings',
  singleton: true,
  properties: withReasons('TransportConfig', properties),
  rules: [],
};

/** The settings as the rooms see them. */
export type TransportConfig = ObjectOf<typeof transportConfig>;

/** What loop detection goes by. */
export function generatedLimits(
  settings: Pick<
    TransportConfig,
    'maxAllowedAgentGeneratedMessageDepth' | 'maxAllowedAgentGeneratedMessageDepthPerAgent'
  >,
): { readonly most: number; readonly mostPerAgent: number } {
  return {
    most: settings.maxAllowedAgentGeneratedMessageDepth,
    mostPerAgent: settings.maxAllowedAgentGeneratedMessageDepthPerAgent,
  };
}
