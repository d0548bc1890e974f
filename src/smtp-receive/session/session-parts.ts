/** What a session is made of. */
import type { SecureContext } from 'node:tls';
import type { IpRange } from '../../base/index.ts';
import type { AcceptedDomainTable, Binding } from '../../config/index.ts';
import type { AgentChain } from '../../pipeline/index.ts';
import type { ProxiedEndpoints } from '../../smtp/index.ts';
import type { ConnectorProfile } from '../connector/connector-profile.ts';
import type { ContentSink } from '../content/edge-stream.ts';
import type { HeldOctets } from '../content/held-octets.ts';
import type { MinuteRates } from '../limits/minute-rates.ts';
import type { CertificatePicker, ReceiveParts } from './contract.ts';

/** The connection under a session. */
export interface Wire {
  /** Queues text; it goes out before the next octet is read. */
  write(text: string): void;
  /** The next octets are content. */
  startContent(sink: ContentSink): void;
  /** The next octets are a chunk of so many; at least one. */
  startChunk(octets: number, sink: ContentSink): void;
  /** The next line may have so many octets, and no more. */
  limitLine(maxBytes: number): void;
  startTls(context: SecureContext): void;
  /** Closes once all is written. */
  close(): void;
  /** The connection begins anew, as one between these endpoints. */
  handOver(endpoints: ProxiedEndpoints): void;
}

/** Set-TransportConfig: limits that hold on every connector. Infinity: none. */
export interface OrganizationLimits {
  /** Octets of a message from outside, and of one from who may send as the organization. */
  readonly receive: number;
  readonly send: number;
  /** Recipients of a message. */
  readonly recipients: number;
}

/** What a session was begun with and keeps. */
export interface SessionOrigin {
  readonly id: string;
  readonly profile: ConnectorProfile;
  readonly domains: AcceptedDomainTable;
  /** Limits of the organization, and the address that Received tells instead of ours; null: ours. */
  readonly limits: OrganizationLimits;
  readonly externalAddress: string | null;
  /** InternalSMTPServers: own servers in front of this one. */
  readonly ownServers: readonly IpRange[];
  /** Addresses without brackets, and the endpoints as logs show them. */
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly local: string;
  readonly remote: string;
  /** Of a peer that may say by XCLIENT whom it speaks for: the configured binding and the endpoints; undefined for all others. */
  readonly balanced?: { readonly binding: Binding; readonly endpoints: ProxiedEndpoints };
}

/** Parts of the service that sessions use. */
export type SessionParts = Pick<
  ReceiveParts,
  'sink' | 'journal' | 'clock' | 'logons' | 'revocation' | 'onFault' | 'pressure'
> & {
  readonly certificates: CertificatePicker;
  readonly agents: AgentChain;
  /** Headers of all sessions that are held until they are complete. */
  readonly heldOctets: HeldOctets;
  /** Messages in a minute, by source. */
  readonly rates: MinuteRates;
  /** No new message is begun any more. */
  readonly draining: () => boolean;
};
