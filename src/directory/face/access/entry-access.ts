/** The entry an operation is about, as far as the one who asks may know of it. */
import { compileFilter, Dn, type Entry, entryFrom, type Filter, LdapError, type Schema } from '../../../ldap/index.ts';
import type { DirectoryEntry, DirectoryReader, Modification, PendingChange } from '../../store/entries/contract.ts';
import type { AddCall, DeleteCall, ModifyCall, ModifyDnCall } from '../ber/request.ts';
import type { AccessPolicy, EntryRights } from './access-policy.ts';
import { ruleAttribute } from './access-rule.ts';
import type { Principal } from './identity.ts';

export type UpdateCall = AddCall | DeleteCall | ModifyCall | ModifyDnCall;

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
 * Refuses what is not the principal's to do before the store looks at the request: the store's own refusals tell of names and
 * values that are there. Whether it may be done is decided by `authorizer`. Throws LdapError.
 */
export function requireRights(view: DirectoryView, principal: Principal, call: UpdateCall, name: Dn): void {
  if (principal.kind === 'administrator') return;
  const { schema } = view.store;
  if (call.kind === 'add') {
    const classes = call.attributes.find(
      ({ attribute }) => schema.describe(attribute)?.attribute.key === 'objectclass',
    );
    const sketch = entryFrom(call.dn, { objectClass: classes?.values ?? [] });
    if (view.policy.rightsAtPlace(principal, sketch).creates) return;
    if (name.parent?.isRoot !== false) throw noSuchObject(view, principal, name);
    locate(view, principal, name.parent);
    throw notYours('add');
  }
  const { rights } = locate(view, principal, name);
  const writes = (description: string): boolean => {
    const attribute = schema.describe(description)?.attribute;
    return attribute === undefined || rights.writes(attribute.key);
  };
  const may =
    call.kind === 'modify'
      ? call.modifications.every((one) => writes(one.attribute) && !asksForValue(one, rights, schema))
      : rights.deletes;
  if (!may) throw notYours(call.kind);
  if (call.kind === 'modifyDn' && call.newSuperior !== undefined) locate(view, principal, Dn.parse(call.newSuperior));
}

/** Whether the success of a change would tell of values that may be written but not read: these are replaced only. */
function asksForValue({ operation, attribute }: Modification, rights: EntryRights, schema: Schema): boolean {
  const key = schema.describe(attribute)?.attribute.key;
  return operation !== 'replace' && key !== undefined && !rights.reads(key);
}

function notYours(kind: string): LdapError {
  return new LdapError('insufficientAccessRights', `${kind} is not yours to do here`);
}

const isObjectClass = (attribute: string): boolean => attribute.toLowerCase() === 'objectclass';
const givesClasses = (attributes: readonly string[]): boolean => attributes.some(isObjectClass);

/** Whether the rules that were there before let the entry have the classes that it comes to have. */
function setsClasses(
  policy: AccessPolicy,
  principal: Principal,
  before: DirectoryEntry | undefined,
  after: DirectoryEntry,
): boolean {
  const rules = before?.values(ruleAttribute) ?? [];
  const sketch = entryFrom(after.dn, { objectClass: after.values('objectClass'), [ruleAttribute]: rules });
  return policy.rights(principal, sketch).setsClasses;
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
  return ({ kind, before, after, attributes: given, name }) => {
    // An add also writes what its name says.
    const attributes = name === undefined ? given : [...given, ...name.rdn.map(({ type }) => keyOf(type))];
    const old = before === undefined ? undefined : policy.rights(principal, before);
    if (old?.visible === false) throw new LdapError('noSuchObject', 'there is no such entry');
    // Not by what it says itself: whoever writes a rule would thereby have what it gives.
    const place = after === undefined ? undefined : policy.rightsAtPlace(principal, after);
    const writable = kind === 'modify' ? old : place;
    const refused =
      (kind === 'add' && place?.creates !== true) ||
      (kind === 'delete' && old?.deletes !== true) ||
      (kind === 'modifyDn' && (old?.deletes !== true || place?.creates !== true)) ||
      (kind === 'modify' &&
        givesClasses(attributes) &&
        after !== undefined &&
        !setsClasses(policy, principal, before, after)) ||
      (kind !== 'delete' &&
        attributes.some(
          (attribute) =>
            !(kind === 'add' && isObjectClass(attribute)) && writable?.writes(attribute.toLowerCase()) !== true,
        ));
    if (refused) throw notYours(kind);
    const [entry, rights] = [before ?? after, old ?? place];
    if (asserted === undefined || entry === undefined || rights === undefined) return;
    // A tree delete comes here for each entry; the assertion is about the one named.
    const isTarget = store.schema.keyOf(asserted.name).equals(store.schema.keyOf(Dn.parse(entry.dn)));
    if (isTarget) assertOn(asserted.assertion, entry, rights, store.schema);
  };
}
