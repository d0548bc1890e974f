/** What would change on the edge, and whether that may happen without asking. Pure. */
import { type EdgeState, sameState } from './recipient.ts';

/** One object that the edge is to change. */
export interface RecipientChange {
  readonly id: string;
  /** As the inside believes it to be; undefined: not there. */
  readonly before: EdgeState | undefined;
  /** As it is to be; undefined: gone. */
  readonly after: EdgeState | undefined;
  /** The inside does not know what the edge has (it was cut off while writing): the write is made whatever `before` says. */
  readonly unsure: boolean;
}

export interface PlanCounts {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  /** Addresses that the edge accepts now and would not afterwards. */
  readonly addressesLost: number;
  readonly addressesGained: number;
}

export const nothingPlanned: PlanCounts = { added: 0, updated: 0, deleted: 0, addressesLost: 0, addressesGained: 0 };

/** The change of one object; undefined when there is none to make. */
export function changeOf(
  id: string,
  before: EdgeState | undefined,
  after: EdgeState | undefined,
  unsure: boolean,
): RecipientChange | undefined {
  return unsure || !sameState(before, after) ? { id, before, after, unsure } : undefined;
}

/**
 * Adds one change to the counts. `held` says whether any recipient is to have an address afterwards: one that goes from
 * an object to another (a new GUID, as after a migration) is not lost.
 */
export function counted(counts: PlanCounts, change: RecipientChange, held: (address: string) => boolean): PlanCounts {
  const { before, after } = change;
  const kind = before === undefined ? 'added' : after === undefined ? 'deleted' : 'updated';
  const had = new Set(before?.addresses);
  const has = new Set(after?.addresses);
  const lost = [...had].filter((address) => !has.has(address) && !held(address)).length;
  const gained = [...has].filter((address) => !had.has(address)).length;
  const whole = before === undefined && after === undefined ? counts : { ...counts, [kind]: counts[kind] + 1 };
  return {
    ...whole,
    addressesLost: counts.addressesLost + lost,
    addressesGained: counts.addressesGained + gained,
  };
}

/** The same change without what it would take away: for reads that were incomplete, and while the brake holds. */
export function additionsOf(change: RecipientChange): RecipientChange | undefined {
  const { id, before, after, unsure } = change;
  if (after === undefined) return undefined;
  if (before === undefined) return change;
  const addresses = [...new Set([...before.addresses, ...after.addresses])].sort();
  return changeOf(id, before, { addresses, extras: after.extras }, unsure);
}

/** Addresses that may stop being accepted without asking. */
export function brakeLimit(addressesOnEdge: number): number {
  return Math.max(leastLimit, Math.min(mostLimit, Math.floor(addressesOnEdge * brakeShare)));
}

const brakeShare = 0.1;
const mostLimit = 500;
const leastLimit = 10;

/** Why the brake holds; undefined when it does not. */
export function braked({ addressesLost }: PlanCounts, addressesOnEdge: number): string | undefined {
  const limit = brakeLimit(addressesOnEdge);
  return addressesLost > limit
    ? `${addressesLost} of ${addressesOnEdge} addresses would stop being accepted, more than ${limit}: look at the plan, then use --force`
    : undefined;
}
