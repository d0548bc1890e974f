/** The agents, and what they look up. None of them works in the categorizer yet. */
import { recipientFilterAgent } from '../../agents/index.ts';
import type { Clock } from '../../base/index.ts';
import { AcceptedDomainTable, type Snapshot, type SnapshotHolder } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/store/index.ts';
import { RecipientDirectory, recipientKeyFile } from '../../edge-sync/edge/index.ts';
import { AgentChain } from '../../pipeline/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { placeIn } from '../../server-state/directory/index.ts';

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

/** The agents, by the configuration in force. */
export function agentsOf(snapshots: SnapshotHolder, recipients: RecipientDirectory): AgentChain {
  let domains = new AcceptedDomainTable(snapshots.current.acceptedDomains);
  snapshots.onChange(({ acceptedDomains }) => {
    domains = new AcceptedDomainTable(acceptedDomains);
  });
  return new AgentChain([
    recipientFilterAgent({
      settings: () => snapshots.current.recipientFilter,
      domainOf: (domain) => domains.find(domain),
      lookup: (localPart, domain) => recipients.lookup(localPart, domain),
    }),
  ]);
}
