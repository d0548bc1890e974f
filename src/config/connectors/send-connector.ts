/** Send connectors: which domains are sent where, and how. */

import type { IpRange } from '../../base/index.ts';
import {
  adminDisplayNameRow,
  commentRow,
  constantRow,
  exchangeVersionRow,
  serverLinks,
} from '../properties/fixed-properties.ts';
import {
  type AddressSpace,
  addressSpaces,
  certificateName,
  domainPatternOrNull,
  fqdn,
  ipAddress,
  ipRanges,
  thumbprints,
  tlsRevocation,
} from '../properties/network-syntaxes.ts';
import type { ObjectOf, ObjectTable } from '../properties/object-table.ts';
import { property } from '../properties/property.ts';
import { smartHosts } from '../properties/smart-host.ts';
import { byteSize, integer, oneOf, oneOfOrNull, orUnlimited, text, timeSpan, yesNo } from '../properties/syntaxes.ts';
import { withReasons } from '../properties/without-meaning.ts';
import { aclRow } from '../rights/acl-syntax.ts';
import { type Credential, credential } from './credential.ts';
import { sendConnectorRules } from './send-connector-rules.ts';

/**
 * Bits of msExchSmtpSendFlags. One is known from Exchange (0x20000 was the only one set on a connector whose only
 * switch beside the defaults was CloudServicesMailEnabled); the others are ours. Switches that are on by default are
 * kept as "off" bits, so that Exchange's value for a default connector decodes rightly.
 */
const sendFlags = 'msExchSmtpSendFlags';
/** Bits of msExchSmtpOutboundSecurityFlag; ours. */
const security = 'msExchSmtpOutboundSecurityFlag';

/** A switch that is kept turned round: the bit says "off". */
const yesNoTurned = { ...yesNo, toBits: (value: boolean) => (value ? 0 : 1), fromBits: (bits: number) => bits === 0 };

const properties = {
  dnsRoutingEnabled: property({
    name: 'DNSRoutingEnabled',
    attribute: sendFlags,
    bit: 0,
    syntax: yesNo,
    default: true,
    help: 'Finds the next host by MX records; off: by SmartHosts.',
  }),
  tlsDomain: property({
    attribute: 'msExchSmtpSendTlsDomain',
    syntax: domainPatternOrNull,
    default: null,
    help: 'Name that the certificate of the host must carry with DomainValidation.',
  }),
  tlsAuthLevel: property({
    attribute: 'msExchSmtpSendTlsLevel',
    syntax: {
      ...oneOfOrNull(['EncryptionOnly', 'CertificateValidation', 'DomainValidation'], {
        EncryptionOnly: 1,
        CertificateValidation: 2,
        DomainValidation: 3,
      }),
      type: 'TlsAuthLevel',
    },
    default: null,
    help: 'What TLS must reach. Empty: opportunistic.',
  }),
  errorPolicies: property({
    attribute: 'msExchSmtpSendErrorPolicies',
    syntax: {
      ...oneOf(['Default', 'DowngradeDnsFailures', 'DowngradeCustomFailures', 'UpgradeCustomFailures']),
      type: 'ErrorPolicies',
    },
    default: 'Default',
    help: 'DowngradeDnsFailures: what fails for good in the DNS is tried again.',
    refusal: (value) =>
      value === 'Default' || value === 'DowngradeDnsFailures'
        ? undefined
        : `which failures ${value} is about is not published by Exchange: use Default or DowngradeDnsFailures.`,
  }),
  smartHosts: property({
    attribute: 'msExchSmtpSmartHost',
    syntax: smartHosts,
    default: [],
    help: 'Hosts that take the mail: names or [addresses]; several share it and stand in for each other.',
  }),
  port: property({
    attribute: 'msExchSmtpSendPort',
    syntax: integer(0, 65_535),
    default: 25,
    help: 'Port of the next host.',
  }),
  connectionInactivityTimeOut: property({
    attribute: 'msExchSmtpSendConnectionTimeout',
    syntax: timeSpan(1, 86_400),
    default: 600,
    help: 'Idle time after which a connection is closed.',
  }),
  forceHELO: property({
    attribute: sendFlags,
    bit: 1,
    syntax: yesNo,
    default: false,
    help: 'Says HELO instead of EHLO.',
  }),
  frontendProxyEnabled: property({
    attribute: sendFlags,
    bit: 2,
    syntax: yesNo,
    default: false,
    notOnEdge: true,
    notImplementedYet: true,
    help: 'Sends through the Front End Transport service.',
  }),
  ignoreSTARTTLS: property({
    attribute: sendFlags,
    bit: 3,
    syntax: yesNo,
    default: false,
    help: 'Never uses TLS, even where it is offered.',
  }),
  cloudServicesMailEnabled: property({
    attribute: sendFlags,
    bit: 17,
    syntax: yesNo,
    default: false,
    help: 'The other half of a hybrid organization: header fields of the organization go there as X-MS-Exchange-CrossPremises-*. Use it with RequireTLS.',
  }),
  fqdn: property({
    attribute: 'msExchSMTPSendConnectorFQDN',
    syntax: fqdn,
    default: null,
    help: 'Name said in EHLO. Empty: the name of the server.',
  }),
  tlsCertificateName: property({
    attribute: 'msExchSmtpTLSCertificate',
    syntax: certificateName,
    default: null,
    help: 'Certificate that is shown to the next host, as <I>issuer<S>subject.',
  }),
  requireTLS: property({
    attribute: sendFlags,
    bit: 4,
    syntax: yesNo,
    default: false,
    help: 'Mail waits until TLS is possible.',
  }),
  requireOorg: property({
    attribute: sendFlags,
    bit: 5,
    syntax: yesNo,
    default: false,
    help: 'Mail goes only to servers that offer XOORG (the other half of a hybrid organization), and says which organization it is of.',
  }),
  enabled: property({
    attribute: sendFlags,
    bit: 6,
    syntax: yesNoTurned,
    default: true,
    help: 'The connector is used.',
  }),
  protocolLoggingLevel: property({
    attribute: 'msExchSmtpSendProtocolLoggingLevel',
    syntax: { ...oneOf(['None', 'Verbose']), type: 'ProtocolLoggingLevel' },
    default: 'None',
    help: 'Verbose writes every session to the send protocol log.',
  }),
  smartHostAuthMechanism: property({
    attribute: security,
    bit: [0, 1, 2],
    syntax: {
      ...oneOf(['None', 'BasicAuth', 'BasicAuthRequireTLS', 'ExchangeServer', 'ExternalAuthoritative']),
      type: 'AuthMechanisms',
    },
    default: 'None',
    help: 'How to log on to the smart hosts: BasicAuth, BasicAuthRequireTLS, which waits for TLS, or ExchangeServer: each is known by the key that the directory pins. ExternalAuthoritative: they get what Externally Secured Servers may get.',
  }),
  authenticationCredential: property({
    attribute: 'msExchSmtpOutboundSecurityCredential',
    syntax: credential,
    default: null as Credential | null,
    help: 'User name and password for the smart hosts; the password is sealed.',
  }),
  useExternalDNSServersEnabled: property({
    attribute: sendFlags,
    bit: 7,
    syntax: yesNo,
    default: false,
    help: 'Asks the DNS servers for external lookups, and refuses private addresses.',
  }),
  domainSecureEnabled: property({
    attribute: sendFlags,
    bit: 8,
    syntax: yesNo,
    default: false,
    help: 'Mutual TLS with domains in TLSSendDomainSecureList: a trusted certificate of the domain, and ours is shown.',
  }),
  sourceIPAddress: property({
    attribute: 'msExchSmtpSendBindingIPAddress',
    syntax: ipAddress,
    default: null,
    help: 'Local address that connections are made from (Edge only).',
  }),
  smtpMaxMessagesPerConnection: property({
    attribute: 'msExchSmtpMaxMessagesPerConnection',
    syntax: integer(0),
    default: 20,
    help: 'Messages after which a new connection is made; 0: no limit.',
  }),
  connectorType: property({
    attribute: 'msExchSmtpSendType',
    syntax: { ...oneOf(['Default', 'XPremises']), type: 'TenantConnectorType' },
    default: 'Default',
    notImplementedYet: true,
    help: 'XPremises: hybrid mail.',
  }),
  smartHostsString: property({
    attribute: 'msExchSmtpSmartHost',
    syntax: { ...text(), read: ([hosts = '']) => hosts },
    default: null,
    readOnly: true,
    help: 'SmartHosts as one text.',
  }),
  certificateSubject: constantRow('String', null),
  region: constantRow('RegionInfo', 'NotSpecified'),
  addressSpaces: property({
    attribute: 'routingList',
    syntax: addressSpaces,
    default: [] as readonly AddressSpace[],
    help: 'Domains that the connector serves, with a cost: SMTP:*;1, *.example.com, --.',
  }),
  connectedDomains: constantRow('MultiValuedProperty', []),
  isScopedConnector: property({
    attribute: sendFlags,
    bit: 9,
    syntax: yesNo,
    default: false,
    notImplementedYet: true,
    help: 'Only servers of the same site use it.',
  }),
  isSmtpConnector: property({
    attribute: 'msExchSmtpSendIsSmtp',
    syntax: yesNo,
    default: true,
    readOnly: true,
    help: 'All send connectors speak SMTP.',
  }),
  comment: commentRow,
  sourceRoutingGroup: constantRow('ADObjectId', 'Exchange Routing Group (DWBGZMFD01QNBJR)'),
  sourceTransportServers: property({
    attribute: 'msExchSourceBridgeheadServersDN',
    syntax: serverLinks,
    default: [],
    notOnEdge: true,
    notImplementedYet: true,
    help: 'Servers that send through it; on an Edge server always itself.',
  }),
  smtpDaneMode: property({
    attribute: 'edgeSmtpSendDaneMode',
    syntax: { ...oneOf(['None', 'Opportunistic', 'Mandatory']), type: 'SmtpDaneMode' },
    default: 'None',
    help: 'DANE (RFC 7672), by a validating resolver. Opportunistic: where the next hop has TLSA records; Mandatory: mail waits where it has none. Ours, by the names of Exchange Online.',
  }),
  mtaStsMode: property({
    attribute: 'edgeSmtpSendMtaStsMode',
    syntax: { ...oneOf(['None', 'Opportunistic']), type: 'MtaStsMode' },
    default: 'None',
    help: 'MTA-STS (RFC 8461): obeys the policies that recipient domains publish. Ours, by the names of Exchange Online.',
  }),
  tlsRevocation: property({
    attribute: 'edgeSmtpSendTlsRevocation',
    syntax: tlsRevocation,
    default: 'Check',
    help: "With TlsAuthLevel CertificateValidation and DomainValidation: whether the issuers of the next hop's certificate are asked for revocation (OCSP, CRL): None; Check, where no answer is accepted and told; Require, where the mail waits. Ours, not of Exchange.",
  }),
  tlsTrustedAuthorities: property({
    attribute: 'edgeSmtpSendTlsTrustedAuthorities',
    syntax: thumbprints,
    default: [],
    help: "Thumbprints of imported authorities that the next hop's certificate may come from; none named: every authority of the system and every imported one. Ours, not of Exchange.",
  }),
  targetIPRanges: property({
    attribute: 'edgeSmtpSendTargetIPRanges',
    syntax: ipRanges,
    default: [] as readonly IpRange[],
    help: 'Addresses of this machine or of private networks that MX records, and the hosts of MTA-STS policies, may lead to all the same. Ours, not of Exchange.',
  }),
  homeMTA: constantRow('ADObjectId', 'Microsoft MTA'),
  homeMtaServerId: constantRow('ADObjectId', null),
  maxMessageSize: property({
    attribute: 'delivContLength',
    syntax: orUnlimited(byteSize(0)),
    default: 35 * 1024 ** 2,
    help: 'Largest message.',
  }),
  adminDisplayName: adminDisplayNameRow,
  exchangeVersion: exchangeVersionRow(),
  /** Own access control entries; what is inherited comes on top: `sendRights(acl, sid)`. */
  acl: aclRow,
};

/** The one list of a send connector's properties. */
export const sendConnector: ObjectTable<typeof properties> = {
  noun: 'SendConnector',
  title: 'Send connector',
  objectClass: 'msExchRoutingSMTPConnector',
  objectClasses: ['top', 'msExchConnector', 'mailGateway', 'msExchRoutingSMTPConnector'],
  scope: 'organization',
  path: 'CN=Connections,CN=Exchange Routing Group (DWBGZMFD01QNBJR),CN=Routing Groups,CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups',
  properties: withReasons('SendConnector', properties),
  rules: sendConnectorRules,
};

/** A send connector as routing and sending see it. */
export type SendConnector = ObjectOf<typeof sendConnector>;
