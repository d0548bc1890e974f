/** TLS reports of a worker: each one counts, the first one sends. */
import type { Clock, FaultReport } from '../../base/index.ts';
import { keyPassphrase, signingKey } from '../../certificates/index.ts';
import type { SnapshotSource } from '../../config/index.ts';
import { DnsClient, systemResolvers } from '../../dns/index.ts';
import type { Journal } from '../../logs/index.ts';
import { HeaderBlock } from '../../mail/index.ts';
import type { ReceiveAgent } from '../../pipeline/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { type MessageQueue, queuedEvent } from '../../queue/index.ts';
import { DayCounter, ReportCourier, ReportFiles, tlsReportAgent } from '../../tls-reports/index.ts';

interface ReportParts {
  readonly paths: StatePaths;
  readonly snapshots: SnapshotSource;
  readonly faults: FaultReport;
  readonly clock: Clock;
}

export function dayCounter({ paths, snapshots, faults, clock }: ReportParts, worker: number): DayCounter {
  return new DayCounter(
    { folder: paths.tlsReports, worker },
    () => snapshots.current.server.tlsReportContact !== null,
    clock,
    (error) => faults.begin('TLS report counts', `${paths.tlsReports} cannot be written: ${(error as Error).message}`),
  );
}

/** Reads the reports of others that come to a mailbox. */
export function reportReader({
  paths,
  faults,
  clock,
}: Omit<ReportParts, 'snapshots'>): (mailbox: string) => ReceiveAgent {
  const files = new ReportFiles(paths.tlsReports);
  const failed = (error: unknown): void =>
    faults.begin('received TLS reports', `a TLS report could not be kept: ${(error as Error).message}`);
  const dns = new DnsClient({ resolvers: systemResolvers() });
  return (mailbox) => tlsReportAgent(mailbox, { clock, dns, keep: (report) => files.receive(report), failed });
}

export function reportCourier(
  parts: ReportParts & {
    readonly queue: MessageQueue;
    readonly journal: Journal;
    readonly webAddresses: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  },
): ReportCourier {
  const { paths, snapshots, faults, clock, webAddresses } = parts;
  return new ReportCourier({
    files: new ReportFiles(paths.tlsReports),
    dns: new DnsClient({ resolvers: systemResolvers() }),
    webAddresses,
    submit: (content, from, to) => submit(parts, content, from, to),
    signingKey: () => signingKey(paths.certificates, keyPassphrase()),
    settings: () => {
      const { tlsReportContact, tlsReportSelector, fqdn } = snapshots.current.server;
      return { contact: tlsReportContact ?? undefined, selector: tlsReportSelector, fqdn };
    },
    faults,
    clock,
  });
}

/** RFC 8689 §4: what the recipient's domain demands of TLS does not keep the report back. */
async function submit(
  { queue, snapshots, clock, journal }: Parameters<typeof reportCourier>[0],
  content: Buffer,
  from: string,
  to: string,
): Promise<void> {
  const { server } = snapshots.current;
  const writer = queue.begin();
  const now = clock.now();
  try {
    await writer.write(content);
    const block = new HeaderBlock(content);
    const { messageId, subject } = block.facts(server.fqdn);
    const kept = {
      envelope: {
        from,
        recipients: [{ address: to, domain: to.slice(to.lastIndexOf('@') + 1).toLowerCase() }],
        body: '7BIT',
        smtpUtf8: false,
        tls: 'optional',
      },
      origin: { session: '', connector: 'TLS reports', remoteAddress: '', localAddress: '', helo: '' },
      facts: {
        size: content.length,
        headerSize: block.size,
        leadingDots: false,
        eightBit: false,
        utf8Header: false,
        bareLines: false,
        messageId,
        subject,
      },
    } as const;
    await writer.commit(kept, now + server.messageExpirationTimeout * 1_000);
    journal.emit(queuedEvent(writer, kept, { at: now, source: 'AGENT', reply: '', reference: '' }));
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
