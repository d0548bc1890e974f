/** The configuration as the mail path sees it: immutable, complete, swapped as a whole. */
import type { AcceptedDomain } from './accepted-domain.ts';
import type { ReceiveConnector } from './receive-connector.ts';
import type { RecipientFilterConfig } from './recipient-filter-config.ts';
import type { RemoteDomain } from './remote-domain.ts';
import type { SendConnector } from './send-connector.ts';
import type { TransportConfig } from './transport-config.ts';
import type { TransportService } from './transport-service.ts';

/** An entry that does not decode, and what is in force instead. */
export interface ConfigurationProblem {
  readonly dn: string;
  readonly attribute: string;
  readonly reason: string;
}

export interface Snapshot {
  /** Update sequence number of the directory that this state was read at. */
  readonly usn: number;
  readonly server: TransportService;
  readonly organization: TransportConfig;
  readonly receiveConnectors: readonly ReceiveConnector[];
  readonly sendConnectors: readonly SendConnector[];
  readonly acceptedDomains: readonly AcceptedDomain[];
  readonly remoteDomains: readonly RemoteDomain[];
  readonly recipientFilter: RecipientFilterConfig;
  readonly problems: readonly ConfigurationProblem[];
}

/** The state in force now; a session keeps the one it began with. */
export interface SnapshotSource {
  readonly current: Snapshot;
  /** Called after each swap. The returned value ends it. */
  onChange(listener: (snapshot: Snapshot) => void): Disposable;
}
