/** Changes as they happen, for searches that stay open: read from the change log, so that a slow reader holds nothing in memory. */
import { Dn, isBelow, LdapError, type Schema } from '../../ldap/index.ts';
import { type Change, type DirectoryWriter, type SearchScope } from '../store/contract.ts';

const batchSize = 500;

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
