/** The sender of a worker, with the DNS that its policies need. */
import type { Clock, FaultReport, SessionIds } from '../../base/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { RevocationChecker } from '../../certificates/revocation/index.ts';
import type { SecretBox } from '../../certificates/secrets/index.ts';
import type { SnapshotSource } from '../../config/index.ts';
import { DnsClient, systemResolvers } from '../../dns/index.ts';
import type { Journal } from '../../logs/index.ts';
import { NodeResolver, type SendingDns, SmtpSender, StsFile, sendingDns } from '../../smtp-send/index.ts';
import type { TlsOutcomes } from '../../tls/index.ts';

export interface SendingParts {
  /** Counts for the TLS reports. */
  readonly outcomes: TlsOutcomes;
  readonly snapshots: SnapshotSource;
  readonly journal: Journal;
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

/** Resolvers are those of the machine, as they are at the start. */
export function buildSender({ faults, policyFile, ...parts }: SendingParts): { sender: SmtpSender; dns: SendingDns } {
  const resolvers = systemResolvers();
  const dns = sendingDns({
    asker: new DnsClient({ resolvers }),
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
      store: new StsFile(policyFile, parts.clock, () => faults.begin(policyFile, `${policyFile} cannot be written`)),
    },
  });
  const sender = new SmtpSender({ ...parts, authorities: parts.certificates, resolver: new NodeResolver(), dns });
  return { sender, dns };
}
