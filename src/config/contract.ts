/** The configuration as the mail path sees it: immutable, complete, swapped as a whole. */

import type { ReceiveConnector } from './connectors/receive-connector.ts';
import type { SendConnector } from './connectors/send-connector.ts';
import type { AcceptedDomain } from './organization/accepted-domain.ts';
import type { RecipientFilterConfig } from './organization/recipient-filter-config.ts';
import type { RemoteDomain } from './organization/remote-domain.ts';
import type { TransportConfig } from './organization/transport-config.ts';
import type { TransportService } from './servers/transport-service.ts';

/** An entry that does not decode, and what is in force instead. */
export interface ConfigurationProblem {
  readonly dn: string;
  readonly attribute: string;
  readonly reason: string;
}

/** A server of the organization that is trusted by its key (direct trust), by the certificates that the directory has of it. */
export interface InternalServer {
  /** Its full name, else that of its entry. */
  readonly name: string;
  /** SHA-256 of each public key, base64url: old and new are valid together. */
  readonly keys: readonly string[];
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
  /** Whom the keys of direct trust belong to. */
  readonly internalServers: readonly InternalServer[];
  readonly problems: readonly ConfigurationProblem[];
}

/** The state in force now; a session keeps the one it began with. */
export interface SnapshotSource {
  readonly current: Snapshot;
  /** Called after each swap. The returned value ends it. */
  onChange(listener: (snapshot: Snapshot) => void): Disposable;
}
