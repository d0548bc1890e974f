/** Changes as they happen, for searches that stay open: read from the change log, so that a slow reader holds nothing in memory. */
import { type Pace, unpaced } from '../../../base/index.ts';
import { compileFilter, Dn, isBelow, LdapError, type Schema } from '../../../ldap/index.ts';
import type {
  Change,
  DirectoryEntry,
  DirectoryReader,
  DirectoryWriter,
  SearchRequest,
  SearchScope,
} from '../../store/entries/contract.ts';
import { TimeSlice } from '../time-slice.ts';

/** Changes read from the log at once. */
const batchSize = 500;
/** More changes than this are told by sending everything: that holds nothing in memory. */
const maxChanges = 100_000;

/**
 * Yields batches of changes after `usn`, and waits for more until the signal is aborted. Throws LdapError when changes were
 * dropped from the log before they could be read.
 */
export async function* followChanges(
  store: DirectoryWriter,
  usn: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Change[], void, undefined> {
  let wake = (): void => undefined;
  const woken = (): void => wake();
  using _ = store.onChange(woken);
  signal.addEventListener('abort', woken);
  let last = usn;
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const { complete, changes, usn: reached } = store.changesSince(last, batchSize);
      if (!complete) throw new LdapError('unavailable', 'changes were dropped from the log: read everything anew');
      if (changes.length > 0) yield changes;
      else await changed;
      last = changes.length > 0 ? reached : last;
    }
  } finally {
    signal.removeEventListener('abort', woken);
  }
}

/** Whether a name lies in the scope of a search. */
export class Scope {
  readonly #schema: Schema;
  readonly #base: Buffer;
  readonly #scope: SearchScope;

  constructor(base: string | Dn, scope: SearchScope, schema: Schema) {
    this.#schema = schema;
    this.#base = schema.keyOf(typeof base === 'string' ? Dn.parse(base) : base);
    this.#scope = scope;
  }

  includes(dn: string): boolean {
    const key = this.#schema.keyOf(Dn.parse(dn));
    if (key.equals(this.#base)) return key.length > 0 && (this.#scope === 'base' || this.#scope === 'sub');
    if (this.#scope === 'base' || !isBelow(key, this.#base)) return false;
    return this.#scope !== 'one' || !key.includes(0, this.#base.length === 0 ? 0 : this.#base.length + 1);
  }
}

/**
 * What changed after `since`, up to `until`. Undefined when the log does not reach back that far or holds too much, or when
 * `since` is in the future: then it is of another or a restored directory.
 */
export async function changesBetween(
  store: DirectoryReader,
  since: number,
  until: number,
  pace: Pace = unpaced,
): Promise<readonly Change[] | undefined> {
  if (since > until) return undefined;
  const slice = new TimeSlice(pace);
  const all: Change[] = [];
  for (let last = since; last < until; ) {
    const { complete, changes, usn } = store.changesSince(last, batchSize);
    if (!complete || all.length > maxChanges) return undefined;
    if (changes.length === 0) break;
    for (const change of changes) if (change.usn <= until) all.push(change);
    last = usn;
    if (slice.over) await slice.yield();
  }
  return all;
}

/** Whether an entry is what the search asks for, now. */
export function contentOf(
  { filter, readable }: SearchRequest,
  scope: Scope,
  schema: Schema,
): (entry: DirectoryEntry) => boolean {
  const matches = filter === undefined ? () => true : compileFilter(filter, schema);
  return (entry) =>
    scope.includes(entry.dn) &&
    matches(entry, readable === undefined ? undefined : (attribute) => readable(entry, attribute)) === true;
}

/** Name that an entry had when what it stands below had a former name. */
export function formerNameOf(dn: string, above: string, former: string): string {
  const { rdns } = Dn.parse(dn);
  return new Dn([...rdns.slice(0, rdns.length - Dn.parse(above).rdns.length), ...Dn.parse(former).rdns]).toString();
}
