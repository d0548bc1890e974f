/** The agents, and what they look up. None of them works in the categorizer yet. */
import { resolve } from 'node:path';
import {
  isRestrictive,
  loopDetectionAgent,
  type PipelineTracing,
  recipientFilterAgent,
  remoteDomainAgent,
} from '../../agents/index.ts';
import type { Clock, FaultReport } from '../../base/index.ts';
import { remoteDomainOf } from '../../categorizer/index.ts';
import { AcceptedDomainTable, generatedLimits, type Snapshot, type SnapshotHolder } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/store/index.ts';
import { RecipientDirectory, recipientKeyFile } from '../../edge-sync/edge/index.ts';
import { AgentChain } from '../../pipeline/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { placeIn } from '../../server-state/directory/index.ts';
import { reportReader } from './tls-reports.ts';

/** The recipients that EdgeSync replicated. */
export function recipientsOf(
  directory: DirectoryStore,
  { server }: Snapshot,
  paths: StatePaths,
  clock: Clock,
): RecipientDirectory {
  const { configurationDn } = placeIn(directory);
  const place = { configurationDn, serverDn: server.dn, serverName: server.name };
  return new RecipientDirectory({ store: directory, place, keyFile: recipientKeyFile(paths.edgeSync), clock });
}

interface AgentParts {
  readonly clock: Clock;
  readonly faults: FaultReport;
  readonly paths: StatePaths;
  readonly tracing: PipelineTracing;
}

/** The agents, by the configuration in force: sessions ask for them anew at each event. */
export function agentsOf(
  snapshots: SnapshotHolder,
  recipients: RecipientDirectory,
  { clock, faults, paths, tracing }: AgentParts,
): AgentChain {
  const counts = new HourlyCounts(clock, faults);
  const readReports = reportReader({ paths, faults, clock });
  const build = ({ acceptedDomains, remoteDomains, server, organization }: Snapshot): AgentChain => {
    const domains = new AcceptedDomainTable(acceptedDomains);
    const filter = recipientFilterAgent({
      settings: () => snapshots.current.recipientFilter,
      domainOf: (domain) => domains.find(domain),
      lookup: (localPart, domain) => recipients.lookup(localPart, domain),
    });
    const remote = remoteDomainAgent({
      domainOf: (domain) =>
        domains.find(domain) === undefined ? remoteDomainOf({ remoteDomains }, domain) : undefined,
      count: ({ name, messageCountThreshold }) => counts.add(name, messageCountThreshold),
    });
    // Who has no such domain pays nothing.
    const wanted = remoteDomains.some(isRestrictive) ? [remote] : [];
    const { agentGeneratedMessageLoopDetectionInSmtpEnabled } = organization;
    if (agentGeneratedMessageLoopDetectionInSmtpEnabled) wanted.push(loopDetectionAgent(generatedLimits(organization)));
    if (server.tlsReportMailbox !== null) wanted.push(readReports(server.tlsReportMailbox));
    const agents = server.antispamAgentsEnabled ? [filter, ...wanted] : wanted;
    const { pipelineTracingEnabled, pipelineTracingSenderAddress: sender, pipelineTracingPath } = server;
    const isOn = pipelineTracingEnabled && sender !== null;
    tracing.use(isOn ? { sender, folder: resolve(paths.root, pipelineTracingPath) } : undefined);
    return new AgentChain(tracing.agents(agents));
  };
  let chain = build(snapshots.current);
  snapshots.onChange((snapshot) => {
    chain = build(snapshot);
  });
  return {
    get onConnect() {
      return chain.onConnect;
    },
    get onEhlo() {
      return chain.onEhlo;
    },
    get onMail() {
      return chain.onMail;
    },
    get onRcptTo() {
      return chain.onRcptTo;
    },
    get onEndOfHeaders() {
      return chain.onEndOfHeaders;
    },
    get readContent() {
      return chain.readContent;
    },
    get onEndOfData() {
      return chain.onEndOfData;
    },
  };
}

const hourMs = 3_600_000;

/** Messages to each remote domain in this hour; what is above MessageCountThreshold is told until the hour is over. */
export class HourlyCounts {
  readonly #clock: Clock;
  readonly #faults: FaultReport;
  readonly #counts = new Map<string, number>();
  #endsAt = 0;

  constructor(clock: Clock, faults: FaultReport) {
    this.#clock = clock;
    this.#faults = faults;
  }

  add(name: string, threshold: number): void {
    const now = this.#clock.monotonic();
    if (now >= this.#endsAt) {
      for (const one of this.#counts.keys()) this.#faults.end(keyOf(one));
      this.#counts.clear();
      this.#endsAt = now + hourMs;
    }
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    if (count > threshold)
      this.#faults.begin(
        keyOf(name),
        `remote domain '${name}' got ${count} messages within an hour: MessageCountThreshold ${threshold}`,
      );
  }
}

const keyOf = (name: string): string => `remote domain ${name}`;
