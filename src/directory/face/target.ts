/** The entry an operation is about, as far as the one who asks may know of it. */
import { compileFilter, Dn, type Entry, type Filter, LdapError, type Schema } from '../../ldap/index.ts';
import { type DirectoryEntry, type DirectoryReader, type PendingChange } from '../store/contract.ts';
import { type AccessPolicy, type EntryRights } from './access-policy.ts';
import { type Principal } from './identity.ts';

/** Store and policy: what every operation on entries needs. */
export interface DirectoryView {
  readonly store: DirectoryReader;
  readonly policy: AccessPolicy;
}

/** Throws LdapError insufficientAccessRights: without a bind only the root DSE can be read, whatever was asked for. */
export function requireBound(principal: Principal): void {
  if (principal.kind === 'anonymous') {
    throw new LdapError('insufficientAccessRights', 'bind first: without it only the root DSE can be read');
  }
}

/** The entry and the rights on it. Throws LdapError noSuchObject also for one that is not to be disclosed. */
export function locate(
  { store, policy }: DirectoryView,
  principal: Principal,
  dn: Dn,
): { entry: DirectoryEntry; rights: EntryRights } {
  const entry = store.get(dn);
  const rights = entry === undefined ? undefined : policy.rights(principal, entry);
  if (entry === undefined || rights?.visible !== true) throw noSuchObject({ store, policy }, principal, dn);
  return { entry, rights };
}

/** noSuchObject, with the nearest name that exists and may be known (RFC 4511 §4.1.9). */
export function noSuchObject({ store, policy }: DirectoryView, principal: Principal, dn: Dn): LdapError {
  const parent = dn.parent;
  const nearest = parent === undefined ? '' : store.nearest(parent);
  const entry = nearest === '' ? undefined : store.get(nearest);
  const known = entry !== undefined && policy.rights(principal, entry).visible;
  return new LdapError('noSuchObject', 'there is no such entry', { matchedDn: known ? nearest : '' });
}

/** RFC 4528. Throws LdapError assertionFailed. */
export function assertOn(filter: Filter | undefined, entry: Entry, rights: EntryRights, schema: Schema): void {
  if (filter === undefined) return;
  if (compileFilter(filter, schema)(entry, (attribute) => rights.reads(attribute)) !== true) {
    throw new LdapError('assertionFailed', 'the assertion does not hold');
  }
}

/**
 * Refuses changes beyond the rights, inside the store's transaction, and those whose assertion does not hold on what may be read.
 * Undefined for those who may do everything: the store evaluates their assertions.
 */
export function authorizer(
  { store, policy }: DirectoryView,
  principal: Principal,
  asserted?: { readonly name: Dn; readonly assertion: Filter },
): ((change: PendingChange) => void) | undefined {
  if (principal.kind === 'administrator') return undefined;
  const keyOf = (type: string): string => store.schema.attribute(type)?.key ?? type;
  return ({ kind, before, after, attributes: given }) => {
    // An add also writes what its name says.
    const named = kind === 'add' && after !== undefined ? Dn.parse(after.dn).rdn.map(({ type }) => keyOf(type)) : [];
    const attributes = [...given, ...named];
    const old = before === undefined ? undefined : policy.rights(principal, before);
    if (old?.visible === false) throw new LdapError('noSuchObject', 'there is no such entry');
    const now = after === undefined ? undefined : policy.rights(principal, after);
    const refused =
      (kind === 'add' && now?.creates !== true) ||
      (kind === 'delete' && old?.deletes !== true) ||
      (kind === 'modifyDn' && (old?.deletes !== true || now?.creates !== true)) ||
      (kind !== 'delete' && attributes.some((attribute) => now?.writes(attribute.toLowerCase()) !== true));
    if (refused) throw new LdapError('insufficientAccessRights', `${kind} is not yours to do here`);
    const [entry, rights] = [before ?? after, old ?? now];
    if (asserted === undefined || entry === undefined || rights === undefined) return;
    // A tree delete comes here for each entry; the assertion is about the one named.
    const isTarget = store.schema.keyOf(asserted.name).equals(store.schema.keyOf(Dn.parse(entry.dn)));
    if (isTarget) assertOn(asserted.assertion, entry, rights, store.schema);
  };
}
