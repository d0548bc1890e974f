/** What an edge lets the inside do. Implemented over LDAPS; a test has one in memory. */
import type { RecipientChange } from '../recipient-plan.ts';

/** Whether an edge holds what it is believed to hold. */
export interface Heartbeat {
  /** Number of the last successful run; 0 for none. */
  readonly run: number;
  /** Milliseconds since 1970 by the edge's clock; undefined for none. */
  readonly at: number | undefined;
}

/** One object as it stands on the edge. */
export interface EdgeObject {
  readonly id: string;
  /** Hashes of its addresses. */
  readonly hashes: readonly Buffer[];
}

export interface EdgeTarget {
  /** Takes the lease, or takes it again. Throws LdapError busy that says who has it. */
  lease(): Promise<void>;
  /** Makes the object what `after` says, whatever stands there. Throws LdapError. */
  write(change: RecipientChange): Promise<void>;
  /** Every object. Throws LdapError. */
  objects(): AsyncIterable<EdgeObject>;
  heartbeat(): Promise<Heartbeat>;
  /** A run ended well. */
  beat(run: number): Promise<void>;
}
