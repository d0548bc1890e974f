/** The order in which changes reach a consumer. */
import { type Pace, unpaced } from '../../../base/index.ts';
import { Dn, parentKey, type Schema } from '../../../ldap/index.ts';
import { TimeSlice } from '../time-slice.ts';

/** An entry that changed. */
export interface Touched {
  readonly guid: string;
  /** Name it had in the log, for those that are gone. */
  readonly dn: string;
  /** Name now; undefined for one that is gone. */
  readonly now: string | undefined;
}

/**
 * The entries in the order given, but none before an ancestor of its own that is among them: the consumer could not place it.
 * Entries wait rather than that ancestors come early, which might still be in the way of another one's old name.
 */
export async function* ancestorsFirst<T extends Touched>(
  touched: readonly T[],
  schema: Schema,
  pace: Pace = unpaced,
): AsyncGenerator<T, void, undefined> {
  const keyOf = (dn: string): Buffer => schema.keyOf(Dn.parse(dn));
  const slice = new TimeSlice(pace);
  const unsent = new Set<string>();
  for (const { now } of touched) {
    if (now !== undefined) unsent.add(keyOf(now).toString('latin1'));
    if (slice.over) await slice.yield();
  }
  const waiting = new Map<string, T[]>();
  const queue = [...touched].reverse();
  for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
    const key = one.now === undefined ? undefined : keyOf(one.now);
    const ancestor = key === undefined ? undefined : nearestIn(unsent, key);
    if (ancestor !== undefined) {
      waiting.set(ancestor, [...(waiting.get(ancestor) ?? []), one]);
      continue;
    }
    yield one;
    const name = key?.toString('latin1') ?? '';
    unsent.delete(name);
    // Those that waited come now, in their order.
    queue.push(...(waiting.get(name) ?? []).reverse());
    waiting.delete(name);
  }
}

function nearestIn(names: ReadonlySet<string>, key: Buffer): string | undefined {
  for (let above = parentKey(key); above !== undefined; above = parentKey(above)) {
    const name = above.toString('latin1');
    if (names.has(name)) return name;
  }
  return undefined;
}
