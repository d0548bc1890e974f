/** What those who follow changes may learn from a change: no more than they could read before and after it. */
import { Dn, entryFrom } from '../../../ldap/index.ts';
import type { DirectoryEntry } from '../../store/entries/contract.ts';
import type { Principal } from '../access/identity.ts';
import type { SearchParts } from '../operations/search-job.ts';

/** Attributes whose change may end the sight of an entry, by key. */
const decidingAttributes: readonly string[] = ['objectclass', 'edgeaccessrule'];

export class Disclosure {
  readonly #principal: Principal;
  readonly #parts: Pick<SearchParts, 'store' | 'policy'>;

  constructor(principal: Principal, parts: Pick<SearchParts, 'store' | 'policy'>) {
    this.#principal = principal;
    this.#parts = parts;
  }

  ofEntry(entry: DirectoryEntry): boolean {
    return this.#parts.policy.rights(this.#principal, entry).visible;
  }

  /** Whether a change of these attributes of an entry may be noticed: one of them may be read, or that there was a change. */
  ofChange(entry: DirectoryEntry, attributes: Iterable<string>): boolean {
    const rights = this.#parts.policy.rights(this.#principal, entry);
    if (!rights.visible) return false;
    return rights.reads('usnchanged') || [...attributes].some((name) => rights.reads(name.toLowerCase()));
  }

  /** Whether an entry that is not (or not any more) in the content may have been: then it has to be named as gone. */
  ofLeaving(entry: DirectoryEntry, formerNames: readonly string[], attributes: ReadonlySet<string>): boolean {
    if (this.ofEntry(entry)) return true;
    const changed = decidingAttributes.some((key) => attributes.has(key));
    return changed || formerNames.some((dn) => dn !== entry.dn && this.#seesAt(dn, entry.values('objectClass')));
  }

  /** Whether the deletion of an entry of that name may be noticed. `usn` is that of the deletion. */
  ofDeletion(dn: string, usn: number): boolean {
    const { store } = this.#parts;
    if (this.#seesAt(dn, store.tombstone(usn)?.values('objectClass') ?? [])) return true;
    // The rules that let it be seen may have gone with what it stood below.
    const { parent } = Dn.parse(dn);
    return (
      parent !== undefined && !parent.isRoot && store.get(parent) === undefined && this.#seesAt(parent.toString(), [])
    );
  }

  #seesAt(dn: string, objectClass: readonly string[]): boolean {
    if (this.#principal.kind === 'administrator') return true;
    return this.#parts.policy.rightsAtPlace(this.#principal, entryFrom(dn, { objectClass })).visible;
  }
}
