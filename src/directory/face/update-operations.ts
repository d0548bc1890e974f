/** Add, delete, modify and modify DN: RFC 4511 §4.6–4.9, with pre-read and post-read (RFC 4527), assertion (RFC 4528). */
import { Dn, LdapError, type Schema } from '../../ldap/index.ts';
import {
  type AttributeValues,
  type DirectoryEntry,
  type DirectoryWriter,
  type WriteOptions,
  type WriteResult,
} from '../store/contract.ts';
import { type AccessPolicy } from './access-policy.ts';
import { parseAccessRule, ruleAttribute } from './access-rule.ts';
import { AttributeSelection } from './attribute-selection.ts';
import { controlOids } from './controls.ts';
import { type FaceLog } from './face-event.ts';
import { type Operation, type OperationContext } from './operation.ts';
import { hashPasswords, type PasswordHasher } from './password.ts';
import { type AddCall, type DeleteCall, type ModifyCall, type ModifyDnCall, type RawControl } from './request.ts';
import { encodeBareEntry, type Result, resultCodeOf, resultOf, success } from './result.ts';
import { type SystemEntries } from './system-entries.ts';
import { authorizer, noSuchObject, requireBound } from './target.ts';

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
    add: update(parts, async ({ dn, attributes }, name, options) => {
      check(attributes, store.schema);
      if (name.isRoot) throw new LdapError('entryAlreadyExists', `'${dn}' is the root DSE`);
      return store.add(name, await hashPasswords(attributes, store.schema, hasher), options);
    }),
    delete: update(parts, async (_, name, options, { controls }) =>
      store.delete(name, { ...options, subtree: controls.treeDelete === true }),
    ),
    modify: update(parts, async ({ modifications }, name, options) => {
      // What does not hold any more may be taken away.
      check(
        modifications.filter(({ operation }) => operation !== 'delete'),
        store.schema,
      );
      return store.modify(name, await hashPasswords(modifications, store.schema, hasher), options);
    }),
    modifyDn: update(parts, async ({ newRdn, deleteOldRdn, newSuperior }, name, options) =>
      store.modifyDn(
        name,
        { newRdn, deleteOldRdn, ...(newSuperior !== undefined && { newSuperior: Dn.parse(newSuperior) }) },
        options,
      ),
    ),
  };
}

type UpdateCall = AddCall | DeleteCall | ModifyCall | ModifyDnCall;
type Write<C> = (call: C, name: Dn, options: WriteOptions, context: OperationContext) => Promise<WriteResult>;

/** What all four have in common: who may, what is told before and after, and the line in the audit log. */
function update<C extends UpdateCall>(parts: UpdateParts, write: Write<C>): Operation<C> {
  const { store, policy, system, log } = parts;
  return async (call, context) => {
    const { principal, id } = context.session;
    const audit = (code: number): void =>
      log({ kind: 'write', connection: id, operation: call.kind, dn: call.dn, actor: principal.dn, code });
    try {
      requireBound(principal);
      const name = Dn.parse(call.dn);
      if (system.isSubschema(name)) throw new LdapError('unwillingToPerform', 'the schema is not changed this way');
      const { assertion } = context.controls;
      const authorize = authorizer({ store, policy }, principal, assertion && { name, assertion });
      const options: WriteOptions = {
        actor: principal.dn,
        ...(authorize === undefined ? assertion && { assertion } : { authorize }),
      };
      const written = await disclose(write(call, name, options, context), parts, context, name);
      audit(0);
      return withReads(written, context, parts);
    } catch (error) {
      audit(error instanceof LdapError ? resultCodeOf(resultOf(error)) : 80);
      throw error;
    }
  };
}

/** Keeps a matched name from those who may not know the entry it belongs to. */
async function disclose<T>(
  written: Promise<T>,
  { store, policy }: UpdateParts,
  { session }: OperationContext,
  name: Dn,
): Promise<T> {
  try {
    return await written;
  } catch (error) {
    if (!(error instanceof LdapError) || error.code !== 'noSuchObject' || session.principal.kind === 'administrator')
      throw error;
    throw noSuchObject({ store, policy }, session.principal, name);
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

/** Aliases would have to be followed by searches, which is not done: so there are none (RFC 4512 §2.6). */
function refuseAliases(attributes: readonly AttributeValues[]): void {
  for (const { attribute, values } of attributes) {
    if (!/^(?:objectclass|2\.5\.4\.0)$/i.test(attribute)) continue;
    if (values.some((value) => /^(?:alias|2\.5\.6\.1)$/i.test(value.toString('latin1').trim()))) {
      throw new LdapError('unwillingToPerform', 'aliases are not kept in this directory');
    }
  }
}
