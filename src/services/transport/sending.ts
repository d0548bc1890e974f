/** The sender of a worker, with the DNS that its policies need. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, FaultReport, SessionIds } from '../../base/index.ts';
import { remoteDomainOf } from '../../categorizer/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { RevocationChecker } from '../../certificates/revocation/index.ts';
import type { SecretBox } from '../../certificates/secrets/index.ts';
import { AcceptedDomainTable, type Snapshot, type SnapshotSource } from '../../config/index.ts';
import { DnsClient, systemResolvers } from '../../dns/index.ts';
import type { FileJournal, Journal } from '../../logs/index.ts';
import {
  contentFormOf,
  type FormOf,
  NodeResolver,
  type SendingDns,
  SmtpSender,
  StsFile,
  sendingDns,
} from '../../smtp-send/index.ts';
import type { TlsOutcomes } from '../../tls/index.ts';

export interface SendingParts {
  /** Counts for the TLS reports. */
  readonly outcomes: TlsOutcomes;
  readonly snapshots: SnapshotSource;
  readonly journal: Journal & Pick<FileJournal, 'record' | 'records'>;
  readonly clock: Clock;
  readonly sessions: SessionIds;
  readonly faults: FaultReport;
  readonly certificates: CertificateStore;
  /** MTA-STS policies of this worker. */
  readonly policyFile: string;
  readonly revocation: RevocationChecker;
  /** Opens the passwords of connectors. */
  readonly secrets: SecretBox;
}

/** Those of the machine are as they are at the start. */
export function buildSender({ faults, policyFile, ...parts }: SendingParts): { sender: SmtpSender; dns: SendingDns } {
  const dnsOf = ({ resolvers, protocol }: DnsServers, file: string): SendingDns =>
    sendingDns({
      asker: new DnsClient({ resolvers, protocol }),
      settings: () => {
        const { dnssecTrustedServers, dnssecGoodTestName, dnssecBadTestName } = parts.snapshots.current.server;
        return {
          resolvers,
          trusted: dnssecTrustedServers,
          goodName: dnssecGoodTestName ?? '',
          badName: dnssecBadTestName ?? '',
        };
      },
      faults,
      clock: parts.clock,
      sts: {
        secureContext: () => parts.certificates.peerContext(),
        store: new StsFile(file, parts.clock, () => faults.begin(file, `${file} cannot be written`)),
      },
    });
  const sides = [true, false].map((external) => {
    let made: { readonly servers: DnsServers; readonly dns: SendingDns } | undefined;
    return (): SendingDns | undefined => {
      const servers = namedServers(parts.snapshots.current.server, external);
      if (servers === undefined) return undefined;
      if (made === undefined || !isDeepStrictEqual(made.servers, servers))
        made = {
          servers,
          dns: dnsOf(servers, policyFile.replace(/(?=\.json$)/, external ? '-external' : '-internal')),
        };
      return made.dns;
    };
  });
  const dns = dnsOf({ resolvers: systemResolvers(), protocol: 'Any' }, policyFile);
  const sender = new SmtpSender({
    ...parts,
    authorities: parts.certificates,
    resolver: new NodeResolver(),
    dns,
    dnsLog: (side) =>
      parts.journal.records('dns') ? (at, ...told) => parts.journal.record('dns', at, [side, ...told]) : undefined,
    forms: formsOf(parts.snapshots),
    namedDns: (external) => sides[external ? 0 : 1]?.(),
  });
  return { sender, dns };
}

/** The forms that remote domains ask for, by the configuration in force; undefined: none asks for any. */
function formsOf(snapshots: SnapshotSource): () => FormOf | undefined {
  let seen: Snapshot | undefined;
  let forms: FormOf | undefined;
  return () => {
    const { current } = snapshots;
    if (current !== seen) {
      seen = current;
      const domains = new AcceptedDomainTable(current.acceptedDomains);
      const asks = current.remoteDomains.some((one) => contentFormOf(one) !== undefined);
      forms = asks
        ? (domain) => {
            const remote = domains.find(domain) === undefined ? remoteDomainOf(current, domain) : undefined;
            return remote && contentFormOf(remote);
          }
        : undefined;
    }
    return forms;
  };
}

/** Servers and the protocol that they are asked by. */
interface DnsServers {
  readonly resolvers: readonly string[];
  readonly protocol: 'Any' | 'UseUdpOnly' | 'UseTcpOnly';
}

/** Set-TransportService; undefined: nothing but what the machine has. */
function namedServers(server: Snapshot['server'], external: boolean): DnsServers | undefined {
  const [adapter, servers, protocol] = external
    ? [server.externalDNSAdapterEnabled, server.externalDNSServers, server.externalDNSProtocolOption]
    : [server.internalDNSAdapterEnabled, server.internalDNSServers, server.internalDNSProtocolOption];
  if (!adapter && servers.length > 0) return { resolvers: servers, protocol };
  return protocol === 'Any' ? undefined : { resolvers: systemResolvers(), protocol };
}
