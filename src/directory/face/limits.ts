/** How much one client may ask for: a perimeter server says no before it runs out of anything. */
import type { FilterLimits } from './ber/decode-filter.ts';

export interface FaceLimits {
  /** Largest message before a bind succeeded, in bytes. */
  readonly maxMessageBytesBeforeBind: number;
  /** Largest message of a bound connection, in bytes. */
  readonly maxMessageBytes: number;
  /** Connections over the network. The unix socket has no limit: who may open it may do everything. */
  readonly maxConnections: number;
  /** Connections from one address, of IPv6 from one network of 64 bits. */
  readonly maxConnectionsPerSource: number;
  /** Operations of one connection that run at once; the next one waits in the socket. */
  readonly maxOutstanding: number;
  /** Searches of one connection that stay open for changes; the next one is refused. */
  readonly maxPersistent: number;
  /** Paged searches of one connection that wait for their next page; the oldest is given up. */
  readonly maxPagedSearches: number;
  /** Silence after which a connection without open operations is ended. */
  readonly idleMs: number;
  /** Silence allowed before a bind succeeded, and the whole time for a TLS handshake. */
  readonly idleBeforeBindMs: number;
  /** Octets waiting for a slow reader before its searches pause. */
  readonly maxUnsentBytes: number;
  /** Time a reader may take nothing before it is cut off. */
  readonly stallMs: number;
  readonly filter: FilterLimits;
  /** Entries that one search (or one page) gives to anyone but an administrator. */
  readonly maxEntries: number;
  /** Time of one search; the client may ask for less. */
  readonly maxSearchMs: number;
  /** Entries of one search that are sorted. */
  readonly maxSortedEntries: number;
  /** Entries that all searches sort at once. */
  readonly maxSortedInAll: number;
}

export const defaultLimits: FaceLimits = {
  maxMessageBytesBeforeBind: 64 * 1024,
  maxMessageBytes: 10 * 1024 ** 2,
  maxConnections: 1000,
  maxConnectionsPerSource: 200,
  maxOutstanding: 64,
  maxPersistent: 8,
  maxPagedSearches: 8,
  idleMs: 15 * 60_000,
  idleBeforeBindMs: 60_000,
  maxUnsentBytes: 1024 ** 2,
  stallMs: 60_000,
  filter: { maxDepth: 100, maxNodes: 20_000 },
  maxEntries: 20_000,
  maxSearchMs: 10 * 60_000,
  maxSortedEntries: 100_000,
  maxSortedInAll: 500_000,
};
