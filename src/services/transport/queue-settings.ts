/** What Set-TransportService says of queues, for one of several workers. */
import type { Snapshot, SnapshotSource } from '../../config/index.ts';
import type { QueueSettings } from '../../queue/index.ts';

/** The settings in force. They are asked for several times for each message, and made once for each snapshot. */
export function queueSettings(snapshots: SnapshotSource, workers: number): () => QueueSettings {
  let of = snapshots.current;
  let settings = settingsOf(of, workers);
  return () => {
    if (snapshots.current !== of) {
      of = snapshots.current;
      settings = settingsOf(of, workers);
    }
    return settings;
  };
}

/** Limits of the whole server are shared out among the workers. */
function settingsOf({ server }: Snapshot, workers: number): QueueSettings {
  const share = (limit: number): number => Math.max(1, Math.ceil(limit / workers));
  return {
    ...server,
    poisonThreshold: server.poisonMessageDetectionEnabled ? server.poisonThreshold : Infinity,
    maxOutboundConnections: share(server.maxOutboundConnections),
    maxPerDomainOutboundConnections: share(server.maxPerDomainOutboundConnections),
  };
}
