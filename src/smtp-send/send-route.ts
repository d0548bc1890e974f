import type { SendConnector, Snapshot } from '../config/index.ts';
import type { NextHop } from '../queue/index.ts';
import { type SendTlsPolicy, sendTlsPolicy, type TlsAuthLevel } from '../tls/index.ts';
import type { PhaseTimeouts } from './phase-timeouts.ts';

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
  readonly tls: SendTlsPolicy;
  readonly timeouts: PhaseTimeouts;
  /** ErrorPolicies DowngradeDnsFailures: what the DNS calls final is tried again. */
  readonly downgradeDnsFailures: boolean;
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
    tls: sendTlsPolicy(
      {
        requireTls: connector.requireTLS,
        ignoreStartTls: connector.ignoreSTARTTLS,
        tlsAuthLevel: levels.find((level) => level === connector.tlsAuthLevel) ?? '',
        tlsDomain: connector.tlsDomain ?? '',
      },
      hop.domain,
    ),
    timeouts: shortened(timeouts, connector.connectionInactivityTimeOut * 1_000),
    downgradeDnsFailures: connector.errorPolicies === 'DowngradeDnsFailures',
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
    tls: sendTlsPolicy(plain, hop.domain),
    timeouts,
    downgradeDnsFailures: false,
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
  const within = (ms: number): number => Math.min(ms, limitMs);
  return {
    connectMs: within(timeouts.connectMs),
    greetingMs: within(timeouts.greetingMs),
    helloMs: within(timeouts.helloMs),
    mailMs: within(timeouts.mailMs),
    rcptMs: within(timeouts.rcptMs),
    dataMs: within(timeouts.dataMs),
    blockMs: within(timeouts.blockMs),
    finalMs: within(timeouts.finalMs),
    quitMs: timeouts.quitMs,
  };
}
