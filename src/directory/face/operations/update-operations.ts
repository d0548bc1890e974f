/** Add, delete, modify and modify DN: RFC 4511 §4.6–4.9, with pre-read and post-read (RFC 4527), assertion (RFC 4528). */
import { Dn, LdapError, parseRdn, type Rdn, type Schema } from '../../../ldap/index.ts';
import type {
  AttributeValues,
  DirectoryEntry,
  DirectoryWriter,
  WriteOptions,
  WriteResult,
} from '../../store/entries/contract.ts';
import { StoreError } from '../../store/entries/store-error.ts';
import type { AccessPolicy } from '../access/access-policy.ts';
import { parseAccessRule, ruleAttribute } from '../access/access-rule.ts';
import { authorizer, noSuchObject, requireBound, requireRights, type UpdateCall } from '../access/entry-access.ts';
import { hashPasswords, type PasswordHasher } from '../access/password.ts';
import { controlOids } from '../ber/controls.ts';
import type { AddCall, DeleteCall, ModifyCall, ModifyDnCall, RawControl } from '../ber/request.ts';
import { encodeBareEntry, type Result, success } from '../ber/result.ts';
import type { FaceLog } from '../face-event.ts';
import { AttributeSelection } from './attribute-selection.ts';
import { type AuditRecord, audited } from './audit.ts';
import type { Operation, OperationContext } from './operation.ts';
import { extendSchema } from './schema-update.ts';
import type { SystemEntries } from './system-entries.ts';

export interface UpdateParts {
  readonly store: DirectoryWriter;
  readonly policy: AccessPolicy;
  readonly system: SystemEntries;
  readonly hasher: PasswordHasher;
  readonly log: FaceLog;
}

export interface UpdateOperations {
  readonly add: Operation<AddCall>;
  readonly delete: Operation<DeleteCall>;
  readonly modify: Operation<ModifyCall>;
  readonly modifyDn: Operation<ModifyDnCall>;
}

export function updateOperations(parts: UpdateParts): UpdateOperations {
  const { store, hasher } = parts;
  return {
    add: update(parts, async ({ dn, attributes }, name, options, context) => {
      check(attributes, store.schema);
      if (name.isRoot) throw new LdapError('entryAlreadyExists', `'${dn}' is the root DSE`);
      checkNaming(name.rdn, store.schema);
      return store.add(name, await hashPasswords(attributes, store.schema, hasher, mayGiveHash(context)), options);
    }),
    delete: update(parts, async (_, name, options, { controls }) =>
      store.delete(name, { ...options, subtree: controls.treeDelete === true }),
    ),
    modify: update(parts, async ({ modifications }, name, options, context) => {
      // What does not hold any more may be taken away.
      check(
        modifications.filter(({ operation }) => operation !== 'delete'),
        store.schema,
      );
      return store.modify(
        name,
        await hashPasswords(modifications, store.schema, hasher, mayGiveHash(context)),
        options,
      );
    }),
    modifyDn: update(parts, async ({ newRdn, deleteOldRdn, newSuperior }, name, options) => {
      checkNaming(parseRdn(newRdn), store.schema);
      return store.modifyDn(
        name,
        { newRdn, deleteOldRdn, ...(newSuperior !== undefined && { newSuperior: Dn.parse(newSuperior) }) },
        options,
      );
    }),
  };
}

/** A ready-made hash is of whatever password and cost its maker chose. */
const mayGiveHash = ({ session }: OperationContext): boolean => session.principal.kind === 'administrator';

type Write<C> = (call: C, name: Dn, options: WriteOptions, context: OperationContext) => Promise<WriteResult>;

/** What all four have in common: who may, what is told before and after, and the line in the audit log. */
function update<C extends UpdateCall>(parts: UpdateParts, write: Write<C>): Operation<C> {
  const { store, policy, system, log } = parts;
  return (call, context) =>
    audited(log, context.session, auditRecordOf(call), async () => {
      const { principal } = context.session;
      requireBound(principal);
      const name = Dn.parse(call.dn);
      if (system.isSubschema(name)) return updateSchema(call, context, store);
      requireRights({ store, policy }, principal, call, name);
      const { assertion } = context.controls;
      const authorize = authorizer({ store, policy }, principal, assertion && { name, assertion });
      const options: WriteOptions = {
        actor: principal.dn,
        ...(authorize === undefined ? assertion && { assertion } : { authorize }),
      };
      const written = await disclose(write(call, name, options, context), parts, context, name);
      return withReads(written, context, parts);
    });
}

async function updateSchema(
  call: UpdateCall,
  { session, controls }: OperationContext,
  store: DirectoryWriter,
): Promise<Result> {
  if (call.kind !== 'modify')
    throw new LdapError('unwillingToPerform', 'the schema is extended by a modify of its entry, and in no other way');
  if (controls.assertion !== undefined || controls.preRead !== undefined || controls.postRead !== undefined)
    throw new LdapError('unwillingToPerform', 'the controls of the request do not go with the schema');
  await extendSchema(store, session.principal, call.dn, call.modifications);
  return success;
}

function auditRecordOf(call: UpdateCall): AuditRecord {
  const { kind: operation, dn } = call;
  switch (call.kind) {
    case 'add':
      return { operation, dn, attributes: call.attributes.map(({ attribute }) => attribute) };
    case 'modify':
      return { operation, dn, attributes: [...new Set(call.modifications.map(({ attribute }) => attribute))] };
    case 'modifyDn':
      return {
        operation,
        dn,
        newName: call.newSuperior === undefined ? call.newRdn : `${call.newRdn},${call.newSuperior}`,
      };
    case 'delete':
      return { operation, dn };
  }
}

/** Keeps a name from those who may not know the entry it belongs to: the matched one, and the one that is in the way. */
async function disclose<T>(
  written: Promise<T>,
  { store, policy }: UpdateParts,
  { session: { principal } }: OperationContext,
  name: Dn,
): Promise<T> {
  try {
    return await written;
  } catch (error) {
    // A full disk is no fault of the program: the client is told, and reading goes on.
    if (error instanceof StoreError && error.reason === 'io')
      throw new LdapError('unavailable', error.message, { cause: error });
    if (!(error instanceof LdapError) || principal.kind === 'administrator') throw error;
    if (error.code === 'noSuchObject') throw noSuchObject({ store, policy }, principal, name);
    const existing = error.code === 'entryAlreadyExists' ? store.get(name) : undefined;
    if (existing === undefined || policy.rights(principal, existing).visible) throw error;
    throw new LdapError('insufficientAccessRights', 'add is not yours to do here');
  }
}

function withReads(
  { before, after }: WriteResult,
  { controls, session }: OperationContext,
  { store, policy }: UpdateParts,
): Result {
  const sent: RawControl[] = [];
  const read = (oid: string, wanted: readonly string[] | undefined, entry: DirectoryEntry | undefined): void => {
    if (wanted === undefined || entry === undefined) return;
    const picked = new AttributeSelection(wanted, store.schema).pick(entry, policy.rights(session.principal, entry));
    sent.push({ oid, critical: false, value: encodeBareEntry(entry.dn, picked) });
  };
  read(controlOids.preRead, controls.preRead, before);
  read(controlOids.postRead, controls.postRead, after);
  return sent.length === 0 ? success : { ...success, controls: sent };
}

/** What the schema cannot say about values. Throws LdapError. */
function check(attributes: readonly AttributeValues[], schema: Schema): void {
  refuseAliases(attributes);
  for (const { attribute, values } of attributes) {
    if (schema.describe(attribute)?.attribute.key !== ruleAttribute) continue;
    for (const value of values) parseAccessRule(value.toString('utf8'), schema);
  }
}

/**
 * Values in a name are values of the entry (RFC 4512 §2.3.1), and come there past the checks of attributes: what is checked or
 * kept from sight gives no names. Throws LdapError namingViolation.
 */
function checkNaming(rdn: Rdn, schema: Schema): void {
  for (const { type } of rdn) {
    if (schema.attribute(type)?.access !== undefined)
      throw new LdapError('namingViolation', `entries are not named by ${type}`);
  }
}

/** Aliases would have to be followed by searches, which is not done: so there are none (RFC 4512 §2.6). */
function refuseAliases(attributes: readonly AttributeValues[]): void {
  for (const { attribute, values } of attributes) {
    if (!/^(?:objectclass|2\.5\.4\.0)$/i.test(attribute)) continue;
    if (values.some((value) => /^(?:alias|2\.5\.6\.1)$/i.test(value.toString('latin1').trim()))) {
      throw new LdapError('unwillingToPerform', 'aliases are not kept in this directory');
    }
  }
}
