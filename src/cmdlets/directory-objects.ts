/** Objects of a table in the directory: found, listed, and the place for new ones. */
import { nearestNameHint, wildcardTest } from '../base/index.ts';
import {
  type ObjectIdentity,
  type ObjectTable,
  type Properties,
  type TableShape,
  tryDecode,
  type ValuesOf,
} from '../config/index.ts';
import { type Entry, escapeDnValue, sidOfGuid } from '../ldap/index.ts';
import { type CmdletContext, CmdletError } from './runtime.ts';

/** An object with the entry that it came from. */
export interface Found<P extends Properties> {
  readonly entry: Entry;
  readonly object: ValuesOf<P> & ObjectIdentity;
}

/** Every object of a table, by name. One that cannot be read is left out with a warning that says why. */
export async function listObjects<P extends Properties>(
  context: CmdletContext,
  table: ObjectTable<P>,
): Promise<readonly Found<P>[]> {
  const { store } = context;
  const entries = await store.search(store.configurationDn, 'sub', `(objectClass=${table.objectClass})`);
  const found = entries
    .filter((entry) => isOwnPlace(entry, table))
    .flatMap((entry) => readObject(context, table, entry));
  return found.sort((a, b) => a.object.identity.localeCompare(b.object.identity, 'en'));
}

/** Front End and Mailbox Transport share a class: the path tells them apart. */
function isOwnPlace(entry: Entry, table: TableShape): boolean {
  if (table.singleton !== true || table.path === '') return true;
  return entry.dn.toLowerCase().startsWith(`${table.path.toLowerCase()},`);
}

function readObject<P extends Properties>(context: CmdletContext, table: ObjectTable<P>, entry: Entry): Found<P>[] {
  const decoded = tryDecode(table, entry, context.role);
  if (decoded.ok) return [{ entry, object: decoded.object }];
  const reasons = decoded.errors.map(({ attribute, reason }) => `${attribute} ${reason}`).join('; ');
  context.warning(`The object ${entry.dn} cannot be read: ${reasons}. Mend the attribute with ldapmodify.`);
  return [];
}

/** Whether an identity names an object: name, DN, GUID, `SERVER\Name`. `wildcards`: * and ? in names count. */
export function matches(object: ObjectIdentity, identity: string, wildcards = false): boolean {
  const wanted = identity.toLowerCase();
  const names = [object.name, object.identity, object.dn, object.guid].filter((name) => name !== '');
  if (names.some((name) => name.toLowerCase() === wanted)) return true;
  if (!wildcards || !/[*?]/.test(wanted)) return false;
  const test = wildcardTest(wanted);
  return [object.name, object.identity].some(test);
}

/** The one object that an identity names. Throws CmdletError with the nearest name. */
export function pickObject<P extends Properties>(
  context: CmdletContext,
  objects: readonly Found<P>[],
  identity: string,
  title: string,
): Found<P> {
  const found = objects.filter(({ object }) => matches(object, identity));
  const [first] = found;
  if (first === undefined)
    throw notFound(
      context,
      identity,
      title,
      objects.map(({ object }) => object.name),
    );
  if (found.length > 1) {
    const names = found.map(({ object }) => object.identity).join(', ');
    throw new CmdletError(
      'ManagementObjectAmbiguousException',
      'InvalidData',
      `The operation couldn't be performed because '${identity}' matches multiple entries: ${names}. Use one of these, or the GUID.`,
      { target: identity },
    );
  }
  return first;
}

const wildcards = ' Only Get- cmdlets take wildcards; what they give can be piped: Get-… | Set-….';

/** The nearest name, or all that could have been meant. */
function whatThereIs(identity: string, title: string, names: readonly string[]): string {
  if (names.length === 0) return ` There is no ${title} yet.`;
  return nearestNameHint(identity.replace(/^.*\\/, ''), names) || ` There is: ${names.slice(0, 10).join(', ')}.`;
}

/** Nothing has this identity. */
export function notFound(
  context: CmdletContext,
  identity: string,
  title: string,
  names: readonly string[],
): CmdletError {
  const text = `The operation couldn't be performed because object '${identity}' couldn't be found on '${context.serverName}'.`;
  const there = /[*?]/.test(identity) ? wildcards : whatThereIs(identity, title, names);
  return new CmdletError('ManagementObjectNotFoundException', 'ObjectNotFound', text + there, { target: identity });
}

/** Entry of this server. Throws CmdletError. */
export async function serverEntry(context: CmdletContext, name = context.serverName): Promise<Entry> {
  const { store } = context;
  const servers = await store.search(store.configurationDn, 'sub', '(objectClass=msExchExchangeServer)');
  const short = name.toLowerCase();
  const found = servers.find((entry) => {
    const names = [
      ...entry.values('cn'),
      ...entry.values('networkAddress').map((one) => one.replace(/^.*:/, '')),
      entry.dn,
    ];
    return names.some((one) => one.toLowerCase() === short);
  });
  if (found !== undefined) return found;
  const names = servers.flatMap((entry) => entry.values('cn'));
  throw notFound(context, name, 'server', names);
}

/** DN of the container that a new object of the table goes to. Throws CmdletError when server or organization is missing. */
export async function containerOf(context: CmdletContext, table: TableShape, server?: string): Promise<string> {
  const place = table.scope === 'server' ? (await serverEntry(context, server)).dn : await organizationDn(context);
  return table.path === '' ? place : `${table.path},${place}`;
}

async function organizationDn({ store }: CmdletContext): Promise<string> {
  const [organization] = await store.search(store.configurationDn, 'sub', '(objectClass=msExchOrganizationContainer)');
  if (organization !== undefined) return organization.dn;
  throw new CmdletError(
    'ManagementObjectNotFoundException',
    'ObjectNotFound',
    'The directory holds no organization object.',
  );
}

/** DN of a new object of this name. */
export function childDn(name: string, container: string): string {
  return `CN=${escapeDnValue(name)},${container}`;
}

/** Accounts of this server that may log on, and their groups: `EDGE1\name` by SID. */
export async function accountNames({ store, serverName }: CmdletContext): Promise<ReadonlyMap<string, string>> {
  const { configurationDn } = store;
  const accounts = await store.search(`CN=Services,${configurationDn}`, 'one', '(objectClass=edgeAccount)');
  const groups = await store.search(`CN=Roles,${configurationDn}`, 'one', '(objectClass=group)');
  return new Map(
    [...accounts, ...groups].flatMap((entry) =>
      sidsOf(entry).map((sid) => [sid, `${serverName}\\${entry.values('cn')[0] ?? ''}`] as const),
    ),
  );
}

/** SIDs of the groups that an account of this server is a member of; `account`: `EDGE1\name`. */
export async function groupSids({ store }: CmdletContext, account: string): Promise<readonly string[]> {
  const { configurationDn } = store;
  const name = account.slice(account.indexOf('\\') + 1);
  const dn = childDn(name, `CN=Services,${configurationDn}`).toLowerCase();
  const groups = await store.search(`CN=Roles,${configurationDn}`, 'one', '(objectClass=group)');
  return groups.filter((one) => one.values('member').some((member) => member.toLowerCase() === dn)).flatMap(sidsOf);
}

const sidsOf = (entry: Entry): readonly string[] => entry.buffers('objectGUID').slice(0, 1).map(sidOfGuid);

/** SID of an account or group by its name, with the server's before it or alone. */
export function accountSid(accounts: ReadonlyMap<string, string>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const found = [...accounts].find(([, account]) => {
    const whole = account.toLowerCase();
    return whole === wanted || whole.slice(whole.indexOf('\\') + 1) === wanted;
  });
  return found?.[0];
}
