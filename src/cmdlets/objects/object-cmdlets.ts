/** Get-, New-, Set- and Remove- for any table: one engine, so that all objects behave alike. */
import { attributesOf, defaultValues, encode, type Properties, type ValuesOf } from '../../config/index.ts';
import {
  childDn,
  containerOf,
  type Found,
  listObjects,
  matches,
  notFound,
  pickObject,
  serverEntry,
} from '../directory-objects.ts';
import { exchangeCmdlets, type KnownCmdlet } from '../exchange-cmdlets.ts';
import { identityOf, missingArgument, notImplemented, textOf } from '../parameter-values.ts';
import { parametersOf, rowsByName } from '../parameters.ts';
import {
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  type CmdletObject,
  type ConfigurationWrite,
  type Parameter,
  quietly,
} from '../runtime.ts';
import { boundChanges, differing, generalParameters } from './changes.ts';
import { onNewestState } from './newest-state.ts';
import type { ObjectKind, Request, Verb, Whole } from './object-kind.ts';
import { shownObject } from './object-output.ts';
import {
  alreadyThere,
  audit,
  check,
  checkFolders,
  deleteUnchanged,
  followersOf,
  inDirectory,
  modifyUnchanged,
  newNameOf,
  renameUnchanged,
  validName,
} from './object-steps.ts';

type Run<P extends Properties> = (
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
) => AsyncIterable<CmdletObject>;

/** The cmdlets of a kind of object. */
export function objectCmdlets<P extends Properties>(kind: ObjectKind<P>): readonly Cmdlet[] {
  const runs: Readonly<Record<Verb, Run<P>>> = {
    Get: runGet,
    New: runNew,
    Set: (...line) => quietly(() => runSet(...line)),
    Remove: (...line) => quietly(() => runRemove(...line)),
  };
  return kind.verbs.map((verb) => {
    const name = `${verb}-${kind.noun ?? kind.table.noun}`;
    const known = exchangeCmdlets[name] ?? {
      availability: 'edge-and-mailbox',
      purpose: '',
      common: [],
      parameters: {},
    };
    const parameters = parameterTable(kind, verb, known);
    return {
      name,
      synopsis: synopses[verb](kind.table.title),
      parameters,
      supportsShouldProcess: verb !== 'Get',
      examples: kind.examples[verb] ?? [],
      async *run(context, bound) {
        refuseUnknown(kind, verb, bound);
        if (kind.notice !== undefined) context.warning(kind.notice);
        if (bound.has('DomainController'))
          context.warning('DomainController has no effect: the directory of this server is used.');
        yield* runs[verb](kind, context, bound);
      },
    };
  });
}

const synopses: Readonly<Record<Verb, (title: string) => string>> = {
  Get: (title) => `Shows objects: ${title}.`,
  New: (title) => `Makes an object: ${title}.`,
  Set: (title) => `Changes an object: ${title}.`,
  Remove: (title) => `Removes an object: ${title}.`,
};

function parameterTable<P extends Properties>(
  kind: ObjectKind<P>,
  verb: Verb,
  known: KnownCmdlet,
): readonly Parameter[] {
  const changed: Record<string, Partial<Parameter>> = { ...kind.parameters?.[verb] };
  if (kind.table.singleton === true && known.parameters['Identity'] !== undefined) {
    changed['Identity'] = { ...changed['Identity'], mandatory: false };
  }
  const table = verb === 'New' || verb === 'Set' ? kind.table : undefined;
  const own = kind.ownParameters?.[verb] ?? [];
  const settable = table === undefined ? undefined : rowsByName(table);
  const extensions = (kind.extensions?.[verb] ?? []).map((name) => {
    return [name, { type: settable?.get(name.toLowerCase())?.row.syntax.type ?? 'String' }] as const;
  });
  const parameters = { ...known.parameters, ...Object.fromEntries(extensions) };
  const all = parametersOf({ ...known, parameters }, table, changed);
  // What is neither a property nor read by the cmdlet is known by name only.
  return all.map((one) => {
    const isKnown =
      generalParameters.has(one.name) || own.includes(one.name) || settable?.has(one.name.toLowerCase()) === true;
    return isKnown || verb === 'Get' ? one : { ...one, notImplementedYet: true };
  });
}

function refuseUnknown<P extends Properties>(kind: ObjectKind<P>, verb: Verb, bound: BoundParameters): void {
  const rows = rowsByName(kind.table);
  const own = kind.ownParameters?.[verb] ?? [];
  for (const name of bound.keys()) {
    if (!generalParameters.has(name) && !own.includes(name) && !(verb !== 'Get' && rows.has(name.toLowerCase()))) {
      throw notImplemented(`The parameter ${name}`);
    }
  }
}

async function* runGet<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): AsyncIterable<CmdletObject> {
  const { table } = kind;
  const all = await listObjects(context, table);
  const server = textOf(bound, 'Server');
  const below = server === undefined ? '' : `,${(await serverEntry(context, server)).dn}`.toLowerCase();
  const identity = identityOf(bound);
  const found = all.filter(({ object }) => {
    const wanted = identity === undefined || isMeant(kind, object, identity, true);
    return wanted && object.dn.toLowerCase().endsWith(below);
  });
  if (found.length === 0 && identity !== undefined && !/[*?]/.test(identity)) {
    throw notFound(
      context,
      identity,
      table.title,
      all.map(({ object }) => object.name),
    );
  }
  for (const { object } of found) yield shownObject(table, object, context.serverName, kind.noun ?? table.noun);
}

/** The only object of a server also goes by the names of the server. */
function isMeant<P extends Properties>(
  kind: ObjectKind<P>,
  object: Whole<P>,
  identity: string,
  wildcards: boolean,
): boolean {
  if (matches(object, identity, wildcards)) return true;
  if (kind.table.singleton !== true) return false;
  const fqdn = 'fqdn' in object && typeof object.fqdn === 'string' ? object.fqdn : '';
  const server = kind.table.scope === 'server' ? [fqdn, object.identity.replace(/\\.*$/, '')] : ['First Organization'];
  return server.some((name) => name !== '' && name.toLowerCase() === identity.toLowerCase());
}

function pick<P extends Properties>(kind: ObjectKind<P>, { context, bound, all }: Request<P>): Found<P> {
  const identity = identityOf(bound);
  if (identity !== undefined) {
    const meant = kind.table.singleton === true && all.find(({ object }) => isMeant(kind, object, identity, false));
    return meant || pickObject(context, all, identity, kind.table.title);
  }
  const own = all.filter(({ object }) => kind.table.scope !== 'server' || ownedBy(object, context.serverName));
  const [only] = own;
  if (kind.table.singleton === true && only !== undefined && own.length === 1) return only;
  throw missingArgument('Identity', `It names the ${kind.table.title}: name, DN, GUID or SERVER\\Name.`);
}

function ownedBy<P extends Properties>({ dn }: Whole<P>, serverName: string): boolean {
  return `,${dn.toLowerCase()}`.includes(`,cn=${serverName.toLowerCase()},cn=servers,`);
}

async function runSet<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): Promise<void> {
  await onNewestState(context, (once) => setOnce(kind, once, bound));
}

async function setOnce<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): Promise<void> {
  const { table } = kind;
  const request = { context, bound, all: await listObjects(context, table) };
  const target = pick(kind, request);
  const { object: before, entry } = target;
  const asked = boundChanges(context, table, bound, before) as Partial<ValuesOf<P>>;
  const changes = { ...asked, ...(await kind.adjust?.(request, before, asked)) };
  const name = newNameOf(request, before);
  const after: Whole<P> = { ...before, ...changes, name };
  const changed = differing(table, before, after);
  check(kind, request, after, changed);
  await checkFolders(kind, request, after, changed);
  const modifications = encode(table, entry, changes, context.role);
  if (modifications.length === 0 && name === before.name) {
    context.warning(`The command completed successfully but no settings of '${before.identity}' have been modified.`);
    return;
  }
  const action = `Setting ${table.title}`;
  const cautions = (await kind.cautions?.(request, after)) ?? [];
  for (const text of cautions) context.warning(text);
  const impact = cautions.length > 0 ? 'High' : 'Medium';
  if (!(await context.shouldProcess({ action, target: before.identity, impact }))) return;
  const followers = followersOf(kind, request, after);
  const rdn = childDn(name, '').slice(0, -1);
  const modify = modifications.length > 0 ? [modifyUnchanged(entry, modifications)] : [];
  // A modification before it has proved already that the entry is as it was read, and has changed it.
  const rename = modify.length > 0 ? ({ kind: 'rename', dn: entry.dn, rdn } as const) : renameUnchanged(entry, rdn);
  const writes: ConfigurationWrite[] = [
    ...modify,
    ...followers.map(({ write }) => write),
    ...(name === before.name ? [] : [rename]),
  ];
  await inDirectory(name === before.name ? before.identity : name, () => context.store.together(writes));
  audit(kind, request, before, after);
  for (const follower of followers) audit(kind, request, follower.before, follower.after);
  if (kind.warn === undefined) return;
  const now = (await listObjects(context, table)).find(
    ({ object }) => object.guid === before.guid && object.name === name,
  );
  if (now !== undefined) await kind.warn(request, now.object);
}

async function* runNew<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): AsyncIterable<CmdletObject> {
  const { table } = kind;
  const request = { context, bound, all: await listObjects(context, table) };
  const name = validName(bound);
  const preset = { ...defaultValues(table, context.role), ...(await kind.preset?.(request)) };
  const asked = boundChanges(context, table, bound, preset) as Partial<ValuesOf<P>>;
  const values: ValuesOf<P> = { ...preset, ...asked, ...(await kind.adjust?.(request, undefined, asked)) };
  const dn = childDn(name, await containerOf(context, table, textOf(bound, 'Server')));
  if (request.all.some(({ object }) => object.dn.toLowerCase() === dn.toLowerCase())) throw alreadyThere(name);
  const server = table.scope === 'server' ? `${context.serverName}\\` : '';
  const whole: Whole<P> = {
    ...values,
    dn,
    name,
    guid: '',
    identity: server + name,
    whenCreated: null,
    whenChanged: null,
  };
  check(kind, request, whole, Object.keys(table.properties));
  await checkFolders(kind, request, whole, Object.keys(table.properties));
  if (!(await context.shouldProcess({ action: `Creating ${table.title}`, target: whole.identity, impact: 'Medium' })))
    return;
  await inDirectory(name, () => context.store.add(dn, attributesOf(table, name, values, context.role)));
  audit(kind, request, undefined, whole);
  const made = (await listObjects(context, table)).find(({ object }) => object.dn.toLowerCase() === dn.toLowerCase());
  if (made === undefined) return;
  await kind.warn?.(request, made.object);
  yield shownObject(table, made.object, context.serverName, kind.noun ?? table.noun);
}

async function runRemove<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): Promise<void> {
  await onNewestState(context, (once) => removeOnce(kind, once, bound));
}

async function removeOnce<P extends Properties>(
  kind: ObjectKind<P>,
  context: CmdletContext,
  bound: BoundParameters,
): Promise<void> {
  const { table } = kind;
  const request = { context, bound, all: await listObjects(context, table) };
  const { object, entry } = pick(kind, request);
  const reason = kind.refuseRemoval?.(object, request.all);
  if (reason !== undefined) {
    throw new CmdletError('InvalidOperationException', 'InvalidOperation', reason, { target: object.identity });
  }
  if (!(await context.shouldProcess({ action: `Removing ${table.title}`, target: object.identity, impact: 'High' })))
    return;
  await inDirectory(object.identity, () => context.store.together([deleteUnchanged(entry)]));
  audit(kind, request, object, undefined);
}
