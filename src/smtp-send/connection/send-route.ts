import type { IpRange } from '../../base/index.ts';
import {
  type Credential,
  defaultDomain,
  type InternalServer,
  nextHopSid,
  type Right,
  type SendConnector,
  type Snapshot,
  sendRights,
  wellKnownSids,
} from '../../config/index.ts';
import { type HeaderClass, headerClasses } from '../../mail/index.ts';
import type { NextHop } from '../../queue/index.ts';
import {
  reasonOfPolicy,
  type SendTlsSettings,
  sendTlsPolicy,
  type TlsAuthLevel,
  type TlsDemand,
} from '../../tls/index.ts';
import { type PhaseTimeouts, within } from './phase-timeouts.ts';

/** What a send connector says about connections to one next hop, in the terms of this room. */
export interface SendRoute {
  readonly connector: string;
  readonly helloName: string;
  readonly forceHelo: boolean;
  /** Undefined: by DNS. */
  readonly smartHosts: readonly string[] | undefined;
  readonly port: number;
  /** Undefined: the system chooses. */
  readonly localAddress: string | undefined;
  readonly maxMessages: number;
  readonly verbose: boolean;
  /** What the connector itself demands of TLS. */
  readonly tls: TlsDemand;
  readonly timeouts: PhaseTimeouts;
  /** ErrorPolicies DowngradeDnsFailures: what the DNS calls final is tried again. */
  readonly downgradeDnsFailures: boolean;
  /** TargetIPRanges: where MX records and MTA-STS policy hosts may lead although it is no place of the Internet. */
  readonly targetRanges: readonly IpRange[];
  /** TlsCertificateName, or '' where the certificate of the server is shown; absent: none is shown. */
  readonly clientCertificate?: string;
  /** How to log on to the smart hosts; absent: not at all. */
  readonly logon?: Credential;
  readonly daneMode: 'None' | 'Opportunistic' | 'Mandatory';
  readonly stsMode: 'None' | 'Opportunistic';
  /** What the messages say of TLS: REQUIRETLS, `TLS-Required: No`. */
  readonly messagesTls: NextHop['tls'];
  /** TlsRevocation; it belongs to what the connector itself demands of the certificate. */
  readonly revocation: SendConnector['tlsRevocation'];
  /** Thumbprints of the authorities that the certificate may come from; empty: all. */
  readonly authorities: readonly string[];
  /** Beginnings and names of header fields that the next hop must not get. */
  readonly forbiddenFields: readonly string[];
  /** The same for a next hop that proved to be a server of the organization; absent: there is none. */
  readonly internalFields?: readonly string[];
  /** SmartHostAuthMechanism ExchangeServer: the next hop is a server of the organization. */
  readonly directTrust: boolean;
  /** Servers of the organization by their keys. */
  readonly internalServers: readonly InternalServer[];
  /** CloudServicesMailEnabled. */
  readonly crossesPremises: boolean;
  /** RequireOorg: the default accepted domain; absent: XOORG is not asked for. */
  readonly organization?: string;
  /** UseExternalDNSServersEnabled. */
  readonly resolvesExternally: boolean;
}

/** The header firewall of sending: by the rights of the next hop on the connector. */
function forbiddenFields(granted: { has(right: Right): boolean }): readonly string[] {
  return (Object.keys(headerClasses) as HeaderClass[]).flatMap((one) =>
    granted.has(`ms-Exch-Send-Headers-${one}`) ? [] : headerClasses[one],
  );
}

const levels: readonly TlsAuthLevel[] = ['EncryptionOnly', 'CertificateValidation', 'DomainValidation'];

/** Undefined when the connector is gone or disabled. */
export function routeOf(hop: NextHop, snapshot: Snapshot, timeouts: PhaseTimeouts): SendRoute | undefined {
  if (hop.connector === '') return redirectedRoute(hop, snapshot, timeouts);
  const connector = snapshot.sendConnectors.find(({ name }) => name === hop.connector);
  if (connector === undefined || !connector.enabled) return undefined;
  return {
    connector: connector.name,
    helloName: connector.fqdn ?? snapshot.server.fqdn,
    forceHelo: connector.forceHELO,
    smartHosts: hop.type === 'SmartHostConnectorDelivery' ? smartHostsOf(connector, hop) : undefined,
    port: connector.port,
    localAddress: sourceOf(connector.sourceIPAddress),
    maxMessages: connector.smtpMaxMessagesPerConnection,
    verbose: connector.protocolLoggingLevel === 'Verbose',
    tls: tlsOf(connector, hop, snapshot),
    ...identityOf(connector, hop, snapshot),
    timeouts: shortened(timeouts, connector.connectionInactivityTimeOut * 1_000),
    downgradeDnsFailures: connector.errorPolicies === 'DowngradeDnsFailures',
    targetRanges: connector.targetIPRanges,
    resolvesExternally: connector.useExternalDNSServersEnabled,
    forbiddenFields: forbiddenFields(sendRights(connector.acl, nextHopSid(connector))),
    ...(snapshot.internalServers.length > 0 && {
      internalFields: forbiddenFields(sendRights(connector.acl, wellKnownSids.hub)),
    }),
    directTrust: connector.smartHostAuthMechanism === 'ExchangeServer',
    internalServers: snapshot.internalServers,
    crossesPremises: connector.cloudServicesMailEnabled,
    ...(connector.requireOorg && {
      organization: defaultDomain(snapshot.acceptedDomains) ?? snapshot.server.fqdn,
    }),
    daneMode: connector.smtpDaneMode,
    stsMode: connector.mtaStsMode,
    messagesTls: hop.tls,
    revocation: connector.tlsRevocation,
    authorities: connector.tlsTrustedAuthorities,
  };
}

/** Redirect-Message names a server and no connector: as a new connector to that smart host would send. */
function redirectedRoute(hop: NextHop, snapshot: Snapshot, timeouts: PhaseTimeouts): SendRoute {
  const plain = { requireTls: false, ignoreStartTls: false, tlsAuthLevel: '', tlsDomain: '' } as const;
  return {
    connector: '',
    helloName: snapshot.server.fqdn,
    forceHelo: false,
    smartHosts: hop.domain.split(','),
    port: 25,
    localAddress: undefined,
    maxMessages: 20,
    verbose: false,
    tls: demandOf('', plain, hop.domain),
    timeouts,
    downgradeDnsFailures: false,
    targetRanges: [],
    resolvesExternally: false,
    forbiddenFields: forbiddenFields(sendRights([], wellKnownSids.anonymous)),
    directTrust: false,
    internalServers: snapshot.internalServers,
    crossesPremises: false,
    daneMode: 'None',
    stsMode: 'None',
    messagesTls: hop.tls,
    revocation: 'None',
    authorities: [],
  };
}

/** Domain Security: mutual TLS with the domains that the organization lists (Exchange's TLSSendDomainSecureList). */
function isDomainSecure(connector: SendConnector, hop: NextHop, { organization }: Snapshot): boolean {
  return connector.domainSecureEnabled && organization.tlsSendDomainSecureList.includes(hop.domain);
}

function tlsOf(connector: SendConnector, hop: NextHop, snapshot: Snapshot): TlsDemand {
  const owner = `the send connector ${connector.name}`;
  if (isDomainSecure(connector, hop, snapshot)) {
    // The domain itself, or a host of it, as partners' certificates have it.
    const names = [hop.domain, `*.${hop.domain}`];
    return { by: 'connector', policy: { level: 'domain', names }, because: `DomainSecureEnabled of ${owner}` };
  }
  const own = demandOf(connector.name, settingsOf(connector), hop.domain);
  const optional = own.policy.level === 'none' || own.policy.level === 'opportunistic';
  if (!optional || connector.smartHostAuthMechanism !== 'BasicAuthRequireTLS') return own;
  return { by: 'connector', policy: { level: 'encryption' }, because: `BasicAuthRequireTLS of ${owner}` };
}

function identityOf(
  connector: SendConnector,
  hop: NextHop,
  snapshot: Snapshot,
): Pick<SendRoute, 'clientCertificate' | 'logon'> {
  const { tlsCertificateName, smartHostAuthMechanism, authenticationCredential } = connector;
  const shown = tlsCertificateName ?? (isDomainSecure(connector, hop, snapshot) ? '' : undefined);
  const logsOn = smartHostAuthMechanism.startsWith('BasicAuth') && authenticationCredential !== null;
  return {
    ...(shown !== undefined && { clientCertificate: shown }),
    ...(logsOn && { logon: authenticationCredential }),
  };
}

function settingsOf(connector: SendConnector): SendTlsSettings {
  return {
    requireTls: connector.requireTLS,
    ignoreStartTls: connector.ignoreSTARTTLS,
    tlsAuthLevel: levels.find((level) => level === connector.tlsAuthLevel) ?? '',
    tlsDomain: connector.tlsDomain ?? '',
  };
}

function demandOf(connector: string, settings: SendTlsSettings, domain: string): TlsDemand {
  const owner = connector === '' ? 'Redirect-Message' : `the send connector ${connector}`;
  return {
    by: 'connector',
    policy: sendTlsPolicy(settings, domain),
    because: `${reasonOfPolicy(settings)} of ${owner}`,
  };
}

/** Those in force now; those of the queue when the connector has turned to DNS meanwhile. */
function smartHostsOf(connector: SendConnector, hop: NextHop): readonly string[] {
  return connector.smartHosts.length > 0 ? connector.smartHosts : hop.domain.split(',');
}

function sourceOf(address: string | null): string | undefined {
  return address === null || address === '0.0.0.0' || address === '::' ? undefined : address;
}

/** ConnectionInactivityTimeOut bounds every wait for the peer. */
function shortened(timeouts: PhaseTimeouts, limitMs: number): PhaseTimeouts {
  const cut = (ms: number): number => Math.min(ms, limitMs);
  return {
    ...within(timeouts, limitMs),
    openingMs: timeouts.openingMs,
    mailMs: cut(timeouts.mailMs),
    rcptMs: cut(timeouts.rcptMs),
    dataMs: cut(timeouts.dataMs),
    blockMs: cut(timeouts.blockMs),
    finalMs: cut(timeouts.finalMs),
  };
}
