/** How much one client may ask for: a perimeter server says no before it runs out of anything. */
import type { FilterLimits } from './ber/decode-filter.ts';

export interface FaceLimits {
  /** Largest message before a bind succeeded, in bytes. */
  readonly maxMessageBytesBeforeBind: number;
  /** Largest message of a bound connection, in bytes. */
  readonly maxMessageBytes: number;
  /** Octets of requests, begun or running (each with 4 KB for its parts), of all connections together; beyond, one that holds much is ended. */
  readonly maxHeldBytes: number;
  /** Longest name in a bind, in bytes. */
  readonly maxBindNameBytes: number;
  /** Connections of accounts that have bound, for each listener; loopback counts as a listener of its own. */
  readonly maxConnections: number;
  /** Those of them from one address, of IPv6 from one network of 64 bits. */
  readonly maxConnectionsPerSource: number;
  /** Connections that have not bound, for each listener; when there are more, the oldest is ended. */
  readonly maxUnbound: number;
  /** Those of them from one address, of IPv6 from one network of 64 bits; the oldest from there is ended. */
  readonly maxUnboundPerSource: number;
  /** Operations of one bound connection that run at once; the next one waits in the socket. Before a bind it is one. */
  readonly maxOutstanding: number;
  /** Searches of one connection that stay open for changes; the next one is refused. */
  readonly maxPersistent: number;
  /** Paged searches of one connection that wait for their next page; the oldest is given up. */
  readonly maxPagedSearches: number;
  /** Silence after which a connection without open operations is ended. */
  readonly idleMs: number;
  /** Silence allowed before a bind succeeded, and the whole time for a TLS handshake. */
  readonly idleBeforeBindMs: number;
  /** Octets waiting for a slow reader before its searches pause. Before a bind any octet that waits holds the next request. */
  readonly maxUnsentBytes: number;
  /** Time a reader may take nothing before it is cut off. */
  readonly stallMs: number;
  readonly filter: FilterLimits;
  readonly filterBeforeBind: FilterLimits;
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
  maxMessageBytesBeforeBind: 4096,
  maxMessageBytes: 10 * 1024 ** 2,
  maxHeldBytes: 12 * 1024 ** 2,
  maxBindNameBytes: 1024,
  maxConnections: 1000,
  maxConnectionsPerSource: 200,
  maxUnbound: 256,
  maxUnboundPerSource: 32,
  maxOutstanding: 256,
  maxPersistent: 8,
  maxPagedSearches: 8,
  idleMs: 15 * 60_000,
  idleBeforeBindMs: 60_000,
  maxUnsentBytes: 1024 ** 2,
  stallMs: 60_000,
  filter: { maxDepth: 100, maxNodes: 20_000 },
  filterBeforeBind: { maxDepth: 10, maxNodes: 50 },
  maxEntries: 20_000,
  maxSearchMs: 10 * 60_000,
  maxSortedEntries: 100_000,
  maxSortedInAll: 500_000,
};
