/**
 * Changes of the schema over LDAP: descriptions are added to the subschema entry by a modify (RFC 4512 §4.4), as LDIF files of
 * other servers do. Nothing that is there is taken away or altered, but for a class that gets more optional attributes: entries
 * and indexes were made by it.
 */
import { formatLdifRecord, LdapError, type ObjectClass, type Schema } from '../../../ldap/index.ts';
import type { Modification } from '../../store/entries/contract.ts';
import type { Principal } from '../access/identity.ts';

/** Takes the LDIF of descriptions into the schema. Throws RangeError for what cannot be read or names something unknown. */
export interface SchemaStore {
  readonly schema: Schema;
  extendSchema(ldif: string): Promise<void>;
}

/** Attribute types and classes: Active Directory with Exchange has some 4,500. */
const maxElements = 20_000;

const lists = ['ldapSyntaxes', 'matchingRules', 'attributeTypes', 'objectClasses'] as const;
type List = (typeof lists)[number];

/** Throws LdapError for everything but new descriptions by an administrator. */
export async function extendSchema(
  store: SchemaStore,
  principal: Principal,
  dn: string,
  modifications: readonly Modification[],
): Promise<void> {
  if (principal.kind !== 'administrator')
    throw new LdapError('insufficientAccessRights', 'the schema is for administrators to extend');
  const added = modifications.map((modification) => ({
    attribute: listOf(modification),
    values: modification.values,
  }));
  if (store.schema.attributeTypes.length + store.schema.objectClasses.length > maxElements)
    throw new LdapError('adminLimitExceeded', `the schema has more than ${maxElements} elements already`);
  const elements = added.flatMap(({ attribute, values }) =>
    values.map((value) => ({ list: attribute, oid: oidOf(value) })),
  );
  for (const { list, oid } of elements) {
    if (list !== 'objectClasses' && lookUp(list, oid, store.schema) !== undefined) throw known(oid);
  }
  const ldif = formatLdifRecord(dn, added);
  const extended = attempt(() => store.schema.extended(ldif));
  for (const { list, oid } of elements) refuseClash(list, oid, store.schema, extended);
  await store.extendSchema(ldif);
}

function listOf({ operation, attribute, values }: Modification): List {
  const list = lists.find((name) => name.toLowerCase() === attribute.toLowerCase());
  if (list === undefined) throw new LdapError('unwillingToPerform', `${attribute} is not changed in the schema`);
  if (operation !== 'add') throw new LdapError('unwillingToPerform', 'descriptions are only added to the schema');
  if (values.length === 0) throw new LdapError('protocolError', 'nothing to add');
  return list;
}

function attempt(read: () => Schema): Schema {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw new LdapError('invalidAttributeSyntax', cause.message, { cause });
    throw cause;
  }
}

/** The OID of a description, its first field. */
function oidOf(value: Buffer): string {
  const [, oid = ''] = /^\s*\(\s*'?([^\s')]+)/.exec(value.toString('utf8')) ?? [];
  return oid;
}

function lookUp(
  list: List,
  name: string,
  schema: Schema,
): { readonly oid: string; readonly names?: readonly string[] } | undefined {
  switch (list) {
    case 'ldapSyntaxes':
      return schema.syntaxes.find(({ oid }) => oid === name);
    case 'matchingRules':
      return schema.matchingRule(name);
    case 'attributeTypes':
      return schema.attribute(name);
    case 'objectClasses':
      return schema.objectClass(name);
  }
}

/** Throws LdapError when an element of this OID, or of one of its names, is known already. */
function refuseClash(list: List, oid: string, before: Schema, after: Schema): void {
  const names = lookUp(list, oid, after)?.names ?? [];
  for (const name of [oid, ...names]) {
    if (lookUp(list, name, before) === undefined) continue;
    const grows = list === 'objectClasses' && growsOnly(before.objectClass(name), after.objectClass(oid));
    if (!grows) throw known(name);
  }
}

/** Whether a class stays what it was, with no attribute less and none more that entries must have. */
function growsOnly(old: ObjectClass | undefined, now: ObjectClass | undefined): boolean {
  if (old === undefined || now === undefined || old.oid !== now.oid || old.kind !== now.kind) return false;
  const has = (list: readonly string[], name: string): boolean =>
    list.some((one) => one.toLowerCase() === name.toLowerCase());
  const sameSize = old.superiors.length === now.superiors.length && old.must.length === now.must.length;
  return (
    sameSize &&
    old.names.every((name) => has(now.names, name)) &&
    old.superiors.every((name) => has(now.superiors, name)) &&
    old.must.every((name) => has(now.must, name)) &&
    old.may.every((name) => has(now.may, name))
  );
}

function known(name: string): LdapError {
  return new LdapError('attributeOrValueExists', `the schema has ${name} already`);
}
