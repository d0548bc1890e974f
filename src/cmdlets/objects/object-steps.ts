/** The steps that New-, Set- and Remove- have in common: names, rules, the directory, the audit log. */
import { brokenRules, encode, type Properties, propertyName } from '../../config/index.ts';
import { type Entry, equals, type Filter, LdapError, type Modification } from '../../ldap/index.ts';
import { badArgument, textOf } from '../parameter-values.ts';
import { type BoundParameters, CmdletError, type ConfigurationWrite } from '../runtime.ts';
import { differing } from './changes.ts';
import type { ObjectKind, Request, Whole } from './object-kind.ts';
import { asAudited } from './object-output.ts';

/** Longest name of an object. */
const longestName = 64;

/** The name after the change. Throws CmdletError for one that is taken or does not do. */
export function newNameOf<P extends Properties>({ bound, all }: Request<P>, before: Whole<P>): string {
  if (!bound.has('Name')) return before.name;
  const name = validName(bound);
  const wanted = (before.identity.slice(0, before.identity.length - before.name.length) + name).toLowerCase();
  const taken = all.find(({ object }) => object.dn !== before.dn && object.identity.toLowerCase() === wanted);
  if (taken !== undefined) throw alreadyThere(name);
  return name;
}

/** -Name. Throws CmdletError. */
export function validName(bound: BoundParameters): string {
  const name = (textOf(bound, 'Name') ?? '').trim();
  if (name === '') throw badArgument('Name', 'A name is needed.');
  if (name.length > longestName)
    throw badArgument('Name', `The name has ${name.length} characters; ${longestName} are the most.`);
  if (/[\r\n\0]/.test(name)) throw badArgument('Name', 'A name cannot hold a line break.');
  return name;
}

/** The name is taken. */
export function alreadyThere(name: string): CmdletError {
  const text = `The object '${name}' already exists. Choose another name, or change it with the Set- cmdlet.`;
  return new CmdletError('ADObjectAlreadyExistsException', 'ResourceExists', text, { target: name });
}

/** Rules of the object, and its place among the others. Only rules about what changes are looked at. */
export function check<P extends Properties>(
  kind: ObjectKind<P>,
  request: Request<P>,
  after: Whole<P>,
  changed: readonly string[],
): void {
  const { table } = kind;
  const broken = brokenRules(table, after).find(({ rule }) => rule.fields.some((field) => changed.includes(field)));
  if (broken !== undefined) {
    const [field = ''] = broken.rule.fields;
    const target = propertyName(field, table.properties[field] ?? {});
    throw new CmdletError('DataValidationException', 'InvalidData', broken.message, { target });
  }
  const others = request.all.filter(({ object }) => object.dn !== after.dn).map(({ object }) => object);
  kind.checkAmong?.(request, after, others);
}

/** Folders that are set are tried as the service would use them. Throws CmdletError with the reason. */
export async function checkFolders<P extends Properties>(
  { table }: ObjectKind<P>,
  { context }: Request<P>,
  after: Whole<P>,
  changed: readonly string[],
): Promise<void> {
  for (const field of changed) {
    const row = table.properties[field];
    const path: unknown = after[field];
    if (row?.syntax.type !== 'LocalLongFullPath' || typeof path !== 'string' || path === '') continue;
    const reason = await context.folders.refusal(path);
    if (reason === undefined) continue;
    const target = propertyName(field, row);
    const text = `The ${target} '${path}' cannot be used: ${reason}. Nothing was changed.`;
    throw new CmdletError('DataValidationException', 'InvalidData', text, { target });
  }
}

/**
 * The change of an entry that is still as it was read: several properties may share one attribute, and what another administrator
 * wrote into it meanwhile must not be lost (RFC 4528).
 */
export function modifyUnchanged(entry: Entry, modifications: readonly Modification[]): ConfigurationWrite {
  return { kind: 'modify', dn: entry.dn, modifications, ...unchanged(entry) };
}

/** The end of an entry that is still as it was judged. */
export function deleteUnchanged(entry: Entry): ConfigurationWrite {
  return { kind: 'delete', dn: entry.dn, ...unchanged(entry) };
}

/** The new name of an entry that is still as it was read, and that nothing else in the same transaction changes. */
export function renameUnchanged(entry: Entry, rdn: string): ConfigurationWrite {
  return { kind: 'rename', dn: entry.dn, rdn, ...unchanged(entry) };
}

function unchanged(entry: Entry): { readonly assertion?: Filter } {
  const [usn] = entry.values('uSNChanged');
  return usn === undefined ? {} : { assertion: equals('uSNChanged', usn) };
}

/** What follows from a change for other objects: written together with it. */
export function followersOf<P extends Properties>(kind: ObjectKind<P>, request: Request<P>, after: Whole<P>) {
  return (kind.follow?.(request, after) ?? []).map(({ target, changes }) => {
    const modifications = encode(kind.table, target.entry, changes, request.context.role);
    const write = modifyUnchanged(target.entry, modifications);
    return { write, before: target.object, after: { ...target.object, ...changes } };
  });
}

/** Tells the audit log old and new values; secrets never. */
export function audit<P extends Properties>(
  kind: ObjectKind<P>,
  { context }: Request<P>,
  before: Whole<P> | undefined,
  after: Whole<P> | undefined,
): void {
  const { table } = kind;
  const fields = Object.keys(table.properties).filter((field) => table.properties[field]?.hidden !== true);
  const changed = before && after ? differing(table, before, after) : fields;
  const properties = changed
    .filter((field) => table.properties[field]?.syntax.type !== 'PSCredential')
    .map((field) => ({
      name: propertyName(field, table.properties[field] ?? {}),
      before: before === undefined ? '' : asAudited(table, field, before[field]),
      after: after === undefined ? '' : asAudited(table, field, after[field]),
    }));
  const renamed = before && after && before.name !== after.name;
  if (renamed) properties.push({ name: 'Name', before: before.name, after: after.name });
  const { identity = '', dn = '' } = before ?? after ?? {};
  context.changed({ object: identity, dn, properties });
}

/** Runs a directory operation; what the directory refuses becomes an error of the cmdlet. */
export async function inDirectory(target: string, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (cause) {
    if (!(cause instanceof LdapError)) throw cause;
    if (cause.code === 'entryAlreadyExists') throw alreadyThere(target);
    const text = `The directory refused the change of '${target}': ${cause.message}`;
    throw new CmdletError('ADOperationException', 'WriteError', text, { target, cause });
  }
}
