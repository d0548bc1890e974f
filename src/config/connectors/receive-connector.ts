/** Receive connectors: which endpoints accept mail from whom, and under which rules. */
import type { IpRange } from '../../base/index.ts';
import { adminDisplayNameRow, commentRow, exchangeVersionRow, serverRow } from '../properties/fixed-properties.ts';
import {
  bindings,
  certificateName,
  fqdn,
  ipRanges,
  senderCertificateName,
  thumbprints,
  tlsRevocation,
} from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property } from '../properties/property.ts';
import { byteSize, flags, integer, list, oneOf, orUnlimited, text, timeSpan, yesNo } from '../properties/syntaxes.ts';
import { withReasons } from '../properties/without-meaning.ts';
import { aclRow } from '../rights/acl-syntax.ts';
import { permissionGroups } from '../rights/permission-groups.ts';
import { receiveConnectorRules } from './receive-connector-rules.ts';

const MB = 1024 ** 2;
const aDay = 86_400;

/**
 * Bits of msExchSmtpReceiveProtocolOptions. Exchange's own numbers are public for two only (0x2 SIZE without a value,
 * 0x200 DomainSecureEnabled). The others are ours, laid so that the values observed on Exchange 2019 (65983, 65981,
 * 66493) decode to what its cmdlets showed: the eight bits that are always set are the eight switches that were on.
 */
const options = 'msExchSmtpReceiveProtocolOptions';
/** Bits of msExchSmtpReceiveProtocolRestrictions: 16 is Exchange's EnableAuthGSSAPI, the others are ours. */
const restrictions = 'msExchSmtpReceiveProtocolRestrictions';

/** Authentication that a connector offers, with the bits of msExchSMTPReceiveInboundSecurityFlag (32 is ours). */
const authMechanisms = {
  Tls: 1,
  Integrated: 2,
  BasicAuth: 4,
  BasicAuthRequireTLS: 8,
  ExchangeServer: 16,
  ExternalAuthoritative: 32,
} as const;

const banner = text('String', (value) => {
  if (!/^220[ -]/.test(value)) throw new RangeError(`'${value}' does not begin with 220`);
  return value;
});

/** RFC 5321 §4.2 and §4.5.3.1.5: reply lines are ASCII, and no longer than 512 octets with their end. */
function unfitForReply(line: string | null): string | undefined {
  if (line === null) return undefined;
  if (/[^ -~]/.test(line))
    return 'Only ASCII characters can stand in a greeting: clients do not know SMTPUTF8 before it (RFC 5321 §4.2).';
  return line.length > 510
    ? `It has ${line.length} characters; a reply line has at most 510 (RFC 5321 §4.5.3.1.5).`
    : undefined;
}

/** `example.com:AcceptCloudServicesMail,AcceptOorgProtocol`, or `NO-TLS:…`. */
const tlsDomainCapabilities = list(
  (value) => {
    if (
      !/^[^:\s]+:\s*(?:AcceptCloudServicesMail|AcceptOorgProtocol)(?:\s*,\s*(?:AcceptCloudServicesMail|AcceptOorgProtocol))*$/i.test(
        value,
      )
    ) {
      throw new RangeError(`'${value}' is not of the form domain:AcceptCloudServicesMail`);
    }
    return value;
  },
  String,
  { separator: '' },
);

const constantFalse = (attribute: string, help: string) =>
  property({ attribute, syntax: yesNo, default: false, readOnly: true, help });

const properties = {
  authMechanism: property({
    attribute: 'msExchSMTPReceiveInboundSecurityFlag',
    syntax: { ...flags(authMechanisms), type: 'AuthMechanisms' },
    default: ['Tls'],
    help: 'Authentication and encryption that are offered and accepted.',
  }),
  banner: property({
    attribute: 'msExchSmtpReceiveBanner',
    syntax: banner,
    default: null,
    refusal: unfitForReply,
    help: 'Greeting, which must begin with 220. Empty: the standard one with the server name and the date.',
  }),
  binaryMimeEnabled: property({
    attribute: options,
    bit: 5,
    syntax: yesNo,
    default: true,
    help: 'Offers BINARYMIME (RFC 3030).',
  }),
  bindings: property({
    attribute: 'msExchSmtpReceiveBindings',
    syntax: bindings,
    default: [{ address: '0.0.0.0', port: 25 }],
    help: 'Local endpoints to listen on: 0.0.0.0:25, [::]:25.',
  }),
  chunkingEnabled: property({
    attribute: options,
    bit: 4,
    syntax: yesNo,
    default: true,
    help: 'Offers CHUNKING (RFC 3030).',
  }),
  defaultDomain: property({
    attribute: 'msExchSmtpReceiveDefaultAcceptedDomainLink',
    syntax: text('AcceptedDomainIdParameter'),
    default: null,
    help: 'Accepted domain that is appended to addresses without a domain in MAIL FROM and RCPT TO. Empty: they are refused, but <Postmaster>.',
  }),
  deliveryStatusNotificationEnabled: property({
    attribute: options,
    bit: 2,
    syntax: yesNo,
    default: true,
    help: 'Offers DSN (RFC 3461).',
  }),
  eightBitMimeEnabled: property({
    attribute: options,
    bit: 3,
    syntax: yesNo,
    default: true,
    help: 'Offers 8BITMIME (RFC 6152).',
  }),
  smtpUtf8Enabled: property({
    attribute: options,
    bit: 16,
    syntax: yesNo,
    default: true,
    help: 'Offers SMTPUTF8 (RFC 6531).',
  }),
  bareLinefeedRejectionEnabled: property({
    attribute: options,
    bit: 17,
    syntax: yesNo,
    default: true,
    help: 'Refuses content with a CR or LF that stands alone. On here, off in Exchange: it closes SMTP smuggling.',
  }),
  limitsEnabled: property({
    attribute: options,
    bit: 18,
    syntax: yesNo,
    default: false,
    help: 'Offers LIMITS (RFC 9422): tells clients MaxRecipientsPerMessage before they reach it. An addition.',
  }),
  externalAuthEnabled: property({
    attribute: options,
    bit: 19,
    syntax: yesNo,
    default: false,
    help: 'Offers AUTH EXTERNAL behind TLS: a client is the account whose userCertificate it shows. An addition.',
  }),
  domainSecureEnabled: property({
    attribute: options,
    bit: 9,
    syntax: yesNo,
    default: false,
    help: 'Asks for a certificate from domains in TLSReceiveDomainSecureList (mutual TLS).',
  }),
  enhancedStatusCodesEnabled: property({
    attribute: options,
    bit: 7,
    syntax: yesNo,
    default: true,
    help: 'Offers ENHANCEDSTATUSCODES (RFC 2034).',
  }),
  longAddressesEnabled: property({
    attribute: options,
    bit: 10,
    syntax: yesNo,
    default: false,
    notOnEdge: true,
    notImplementedYet: true,
    help: 'Offers XLONGADDR for X.400 addresses.',
  }),
  orarEnabled: property({
    attribute: options,
    bit: 11,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Offers XORAR (alternate recipient asked for by the sender).',
  }),
  suppressXAnonymousTls: property({
    attribute: options,
    bit: 12,
    syntax: yesNo,
    default: false,
    help: 'X-ANONYMOUSTLS is never offered: servers of the organization use STARTTLS, whatever stands here.',
    remark: (value) => (value ? undefined : 'X-ANONYMOUSTLS is never offered, as if SuppressXAnonymousTls were $true.'),
  }),
  proxyEnabled: constantFalse('msExchSmtpReceiveProxyEnabled', 'Takes proxied sessions.'),
  advertiseClientSettings: property({
    attribute: options,
    bit: 13,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Shows users this connector as their submission server.',
  }),
  fqdn: property({
    attribute: 'msExchSMTPReceiveConnectorFQDN',
    syntax: fqdn,
    default: null,
    help: 'Name in the banner, in the EHLO reply and in Received; also chooses the certificate. Empty: the name of the server.',
  }),
  serviceDiscoveryFqdn: property({
    attribute: 'msExchSmtpReceiveServiceDiscoveryFqdn',
    syntax: fqdn,
    default: null,
    notImplementedYet: true,
    help: 'Name told to clients by service discovery.',
  }),
  tlsCertificateName: property({
    attribute: 'msExchSmtpTLSCertificate',
    syntax: certificateName,
    default: null,
    help: 'Certificate for STARTTLS as <I>issuer<S>subject. Empty: chosen by Fqdn.',
  }),
  comment: commentRow,
  enabled: property({
    attribute: options,
    bit: 0,
    syntax: yesNo,
    default: true,
    help: 'The connector takes sessions.',
  }),
  connectionTimeout: property({
    attribute: 'msExchSmtpReceiveConnectionTimeout',
    syntax: timeSpan(1, aDay),
    default: 600,
    edgeDefault: 300,
    help: 'Longest life of a session, even a busy one.',
  }),
  connectionInactivityTimeout: property({
    attribute: 'msExchSmtpReceiveConnectionInactivityTimeout',
    syntax: timeSpan(1, aDay),
    default: 300,
    edgeDefault: 60,
    help: 'Idle time after which a session ends.',
  }),
  messageRateLimit: property({
    attribute: 'msExchSMTPReceiveRelayControl',
    syntax: orUnlimited(integer(1)),
    default: Infinity,
    edgeDefault: 600,
    help: 'Messages in a minute from one source.',
  }),
  messageRateSource: property({
    attribute: 'msExchSMTPReceiveMessageRateSource',
    syntax: { ...oneOf(['None', 'IPAddress', 'User', 'All']), type: 'MessageRateSourceFlags' },
    default: 'IPAddress',
    help: 'What MessageRateLimit counts by: the address of the client, the sender that MAIL FROM names, or both.',
  }),
  maxInboundConnection: property({
    attribute: 'msExchSmtpReceiveMaxInboundConnections',
    syntax: orUnlimited(integer(1)),
    default: 5000,
    help: 'Sessions at a time.',
  }),
  maxInboundConnectionPerSource: property({
    attribute: 'msExchSmtpReceiveMaxInboundConnectionsPerSource',
    syntax: orUnlimited(integer(1, 10_000)),
    default: 20,
    help: 'Sessions at a time from one address.',
  }),
  maxInboundConnectionPercentagePerSource: property({
    attribute: 'msExchSMTPReceiveMaxInboundConnectionsPercPerSource',
    syntax: integer(1, 100),
    default: 2,
    help: 'Share of the sessions that are still free which one address may take, in per cent.',
  }),
  maxHeaderSize: property({
    attribute: 'msExchSmtpReceiveMaxHeaderSize',
    syntax: byteSize(1),
    default: 256 * 1024,
    help: 'Largest header block.',
  }),
  maxHopCount: property({
    attribute: 'msExchSmtpReceiveMaxHopCount',
    syntax: integer(1, 500),
    default: 60,
    help: 'Most Received fields that a message may have.',
  }),
  maxLocalHopCount: property({
    attribute: 'msExchSmtpReceiveMaxLocalHopCount',
    syntax: integer(0, 50),
    default: 5,
    help: 'Most times that a message may pass this server; 0: no limit.',
  }),
  maxLogonFailures: property({
    attribute: 'msExchSmtpReceiveMaxLogonFailures',
    syntax: integer(0, 10),
    default: 3,
    help: 'Failed logons after which the session ends; 0: no limit.',
  }),
  maxMessageSize: property({
    attribute: 'msExchSmtpReceiveMaxMessageSize',
    syntax: byteSize(65_536),
    default: 36 * MB,
    help: 'Largest message.',
  }),
  maxProtocolErrors: property({
    attribute: 'msExchSmtpReceiveMaxProtocolErrors',
    syntax: orUnlimited(integer(0)),
    default: 5,
    help: 'Protocol errors after which the session ends.',
  }),
  maxRecipientsPerMessage: property({
    attribute: 'msExchSmtpReceiveMaxRecipientsPerMessage',
    syntax: integer(1, 512_000),
    default: 200,
    help: 'Recipients in one message.',
  }),
  permissionGroups: property({
    attribute: 'nTSecurityDescriptor',
    syntax: permissionGroups,
    default: [],
    help: 'Who may use the connector. Custom tells that single rights deviate: see Get-ADPermission.',
  }),
  pipeliningEnabled: property({
    attribute: options,
    bit: 8,
    syntax: yesNo,
    default: true,
    help: 'Offers PIPELINING (RFC 2920).',
  }),
  protocolLoggingLevel: property({
    attribute: 'msExchSmtpReceiveProtocolLoggingLevel',
    syntax: { ...oneOf(['None', 'Verbose']), type: 'ProtocolLoggingLevel' },
    default: 'None',
    help: 'Verbose writes every session to the receive protocol log.',
  }),
  remoteIPRanges: property({
    attribute: 'msExchSmtpReceiveRemoteIPRanges',
    syntax: ipRanges,
    default: [] as readonly IpRange[],
    help: 'Addresses of clients: single, first-last or CIDR. The connector with the most specific range takes the session.',
  }),
  requireEHLODomain: property({
    attribute: restrictions,
    bit: 1,
    syntax: yesNo,
    default: false,
    help: 'Refuses EHLO without a domain.',
  }),
  requireTLS: property({
    attribute: restrictions,
    bit: 0,
    syntax: yesNo,
    default: false,
    help: 'Refuses mail before STARTTLS.',
  }),
  enableAuthGSSAPI: property({
    attribute: restrictions,
    bit: 4,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Offers GSSAPI with Integrated.',
  }),
  extendedProtectionPolicy: property({
    attribute: 'msExchSMTPExtendedProtectionPolicy',
    syntax: { ...oneOf(['None', 'Allow', 'Require']), type: 'ExtendedProtectionPolicySetting' },
    default: 'None',
    notImplementedYet: true,
    help: 'Channel binding with Integrated.',
  }),
  liveCredentialEnabled: constantFalse('msExchSmtpReceiveLiveCredentialEnabled', 'Takes Live credentials.'),
  tlsDomainCapabilities: property({
    attribute: 'msExchSmtpReceiveTlsDomainCapabilities',
    syntax: tlsDomainCapabilities,
    default: [],
    refusal: (value) =>
      value.every((one) => /^(?!no-tls:)[^:]+:\s*AcceptCloudServicesMail$/i.test(one))
        ? undefined
        : 'only domain:AcceptCloudServicesMail acts here: XOORG is not offered, and a peer without TLS proves no domain.',
    help: 'What peers may do that show a trusted certificate of a domain: contoso.com:AcceptCloudServicesMail keeps the cross-premises header fields of a hybrid organization.',
  }),
  tlsSenderCertificateName: property({
    attribute: 'edgeSmtpReceiveTlsSenderCertificateName',
    syntax: senderCertificateName,
    default: null,
    help: 'Certificate that every client must show: contoso.com, *.contoso.com or <I>issuer<S>subject. An addition.',
  }),
  clientEku: property({
    attribute: 'edgeSmtpReceiveClientEku',
    syntax: { ...oneOf(['Ignore', 'Warn', 'Require']), type: 'ClientEku' },
    default: 'Warn',
    help: 'What becomes of client certificates without the purpose clientAuth, which public authorities stopped issuing. An addition.',
  }),
  tlsRevocation: property({
    attribute: 'edgeSmtpReceiveTlsRevocation',
    syntax: tlsRevocation,
    default: 'Check',
    help: "Whether the issuers of clients' certificates are asked for revocation (OCSP, CRL): None; Check, where no answer is accepted and told; Require, where the mail waits. An addition.",
  }),
  tlsTrustedAuthorities: property({
    attribute: 'edgeSmtpReceiveTlsTrustedAuthorities',
    syntax: thumbprints,
    default: [],
    help: "Thumbprints of imported authorities that clients' certificates may come from; none named: every authority of the system and every imported one. An addition.",
  }),
  tlsMinVersion: property({
    attribute: 'edgeSmtpReceiveTlsMinVersion',
    syntax: { ...oneOf(['Tls12', 'Tls13']), type: 'TlsVersion' },
    default: 'Tls12',
    help: 'Lowest version of TLS. An addition.',
  }),
  tlsCipherProfile: property({
    attribute: 'edgeSmtpReceiveTlsCipherProfile',
    syntax: { ...oneOf(['intermediate', 'modern', 'bsi', 'nist']), type: 'TlsCipherProfile' },
    default: 'intermediate',
    help: 'Cipher suites and groups: of Mozilla (modern has TLS 1.3 only), of BSI TR-02102-2, or of NIST SP 800-52r2. An addition.',
  }),
  server: serverRow,
  transportRole: property({
    attribute: 'msExchSmtpReceiveRole',
    syntax: {
      ...oneOf(['HubTransport', 'FrontendTransport'], { HubTransport: 32, FrontendTransport: 16_384 }),
      type: 'ServerRole',
    },
    default: 'HubTransport',
    notOnEdge: true,
    help: 'Service that the connector belongs to on a Mailbox server.',
  }),
  rejectReservedTopLevelRecipientDomains: property({
    attribute: restrictions,
    bit: 2,
    syntax: yesNo,
    default: false,
    help: 'Refuses recipients below .test, .example, .invalid and .localhost (RFC 2606).',
  }),
  rejectReservedSecondLevelRecipientDomains: property({
    attribute: restrictions,
    bit: 3,
    syntax: yesNo,
    default: false,
    help: 'Refuses recipients in example.com, example.net and example.org (RFC 2606).',
  }),
  rejectSingleLabelRecipientDomains: property({
    attribute: restrictions,
    bit: 5,
    syntax: yesNo,
    default: false,
    help: 'Refuses recipients in a domain without a dot.',
  }),
  acceptConsumerMail: constantFalse('msExchSmtpReceiveAcceptConsumerMail', 'Takes consumer mail.'),
  sizeEnabled: property({
    attribute: options,
    bit: [1, 6],
    syntax: { ...oneOf(['Enabled', 'EnabledWithoutValue', 'Disabled']), type: 'SizeMode' },
    default: 'Enabled',
    help: 'Offers SIZE (RFC 1870), with or without the value.',
  }),
  tarpitInterval: property({
    attribute: 'msExchSmtpReceiveTarpitInterval',
    syntax: timeSpan(0, 600),
    default: 5,
    help: 'Delay of refused recipients to anonymous clients, behind the first ten of a session; 0: none.',
  }),
  authTarpitInterval: property({
    attribute: 'msExchSmtpReceiveAuthTarpitInterval',
    syntax: timeSpan(0, 600),
    default: 5,
    help: 'Delay of the answer to a failed logon; 0: none.',
  }),
  maxAcknowledgementDelay: property({
    attribute: 'msExchSmtpReceiveMaxAcknowledgementDelay',
    syntax: timeSpan(0, aDay),
    default: 30,
    notImplementedYet: true,
    help: 'How long the answer to a message may wait for its delivery (Exchange 2010).',
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
  /** Access control entries; what a session may do is `grantedRights(acl, sids)`. */
  acl: aclRow,
};

/** The one list of a receive connector's properties: mapping, cmdlet parameters, help and web form come from it. */
export const receiveConnector: ObjectTable<typeof properties> = {
  noun: 'ReceiveConnector',
  title: 'Receive connector',
  objectClass: 'msExchSmtpReceiveConnector',
  objectClasses: ['top', 'msExchSmtpReceiveConnector'],
  scope: 'server',
  path: 'CN=SMTP Receive Connectors,CN=Protocols',
  properties: withReasons('ReceiveConnector', properties),
  rules: receiveConnectorRules,
};

/** A receive connector as sessions see it. */
export type ReceiveConnector = ObjectOf<typeof receiveConnector>;
