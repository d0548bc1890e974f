/** Get-, Add- and Remove-ADPermission: single rights on connectors, beyond what PermissionGroups says. */
import { nearestNameHint } from '../../base/index.ts';
import {
  type Ace,
  ace,
  inheritedSendAcl,
  parseAcl,
  type Right,
  receiveConnector,
  rightOfName,
  rights,
  sameAce,
  sendConnector,
  tryDecode,
  wellKnownPrincipals,
  withoutEffect,
  writeAcl,
} from '../../config/index.ts';
import type { Entry } from '../../ldap/index.ts';
import { listObjects, matches, notFound } from '../directory-objects.ts';
import { knownCmdlet } from '../exchange-cmdlets.ts';
import {
  badArgument,
  identityOf,
  isObject,
  isOn,
  missingArgument,
  notImplemented,
  textOf,
  textsOf,
} from '../parameter-values.ts';
import { parametersOf } from '../parameters.ts';
import { principalFault, principalSid, shownNames } from '../principals.ts';
import {
  type BoundParameters,
  type Cmdlet,
  type CmdletContext,
  CmdletError,
  CmdletObject,
  quietly,
} from '../runtime.ts';
import { onNewestState } from './newest-state.ts';
import { inDirectory, modifyUnchanged } from './object-steps.ts';
import { warnOpenRelay } from './receive-connector.ts';

/** A connector with its access control entries. */
interface Target {
  readonly entry: Entry;
  readonly identity: string;
  readonly acl: readonly Ace[];
}

/** Parameters that mean something here; all others of the catalogue are refused. */
const known = [
  'Identity',
  'Instance',
  'User',
  'ExtendedRights',
  'AccessRights',
  'Deny',
  'WhatIf',
  'Confirm',
  'DomainController',
];

const checkUser = (value: unknown): string | undefined => principalFault(isObject(value) ? '' : String(value));

const checkRights = (value: unknown): string | undefined => {
  const wrong = (Array.isArray(value) ? value : [value]).map(String).find((name) => rightOfName(name) === undefined);
  return wrong === undefined
    ? undefined
    : `There is no extended right '${wrong}'.${nearestNameHint(wrong, rights)} Known are ${rights.join(', ')}.`;
};

const parameterChecks = {
  Identity: { identityOf: 'ReceiveConnector' },
  User: { check: checkUser, allowed: wellKnownPrincipals, mandatory: false },
  ExtendedRights: { check: checkRights, allowed: rights },
} as const;

function refuseOthers(bound: BoundParameters): void {
  const other = [...bound.keys()].find((name) => !known.includes(name));
  if (other !== undefined) throw notImplemented(`The parameter ${other}`);
}

async function findTarget(context: CmdletContext, bound: BoundParameters): Promise<Target> {
  const identity = identityOf(bound);
  if (identity === undefined)
    throw missingArgument('Identity', 'It names the connector: name, DN, GUID or SERVER\\Name.');
  const all = [...(await listObjects(context, receiveConnector)), ...(await listObjects(context, sendConnector))];
  const found = all.filter(({ object }) => matches(object, identity));
  const [first] = found;
  if (first === undefined)
    throw notFound(
      context,
      identity,
      'connector',
      all.map(({ object }) => object.name),
    );
  if (found.length > 1) {
    const text = `'${identity}' is the name of ${found.length} connectors. Use the DN or the GUID.`;
    throw new CmdletError('ManagementObjectAmbiguousException', 'InvalidData', text, { target: identity });
  }
  const own = first.entry.values('nTSecurityDescriptor').flatMap(parseAcl);
  const isSending = first.entry.values('objectClass').some((one) => /^msExchRoutingSMTPConnector$/i.test(one));
  const acl = isSending ? [...own, ...inheritedSendAcl] : own;
  return { entry: first.entry, identity: first.object.identity, acl };
}

function accessEntry(identity: string, one: Ace, user: string): CmdletObject {
  return new CmdletObject('ADAcePresentationObject', [
    ['AccessRights', ['ExtendedRight']],
    ['ExtendedRights', one.right === 'All' ? null : [one.right]],
    ['Deny', one.deny],
    ['InheritanceType', 'All'],
    ['User', user],
    ['Identity', identity],
    ['IsInherited', one.inherited],
    ['Inherited', one.inherited],
    ['IsValid', true],
  ]);
}

async function userSid(context: CmdletContext, bound: BoundParameters): Promise<string> {
  const name = textOf(bound, 'User');
  if (name === undefined)
    throw missingArgument('User', "It is needed: the principal, such as 'NT AUTHORITY\\ANONYMOUS LOGON'.");
  return principalSid(context, name);
}

/** With what an entry that came through the pipeline, or as -Instance, says by itself; the line goes before it. */
function withInstance(bound: BoundParameters): BoundParameters {
  const instance = bound.get('Instance') ?? bound.get('Identity');
  if (!isObject(instance) || instance.typeName !== 'ADAcePresentationObject') return bound;
  const rights = instance.get('ExtendedRights');
  const own: readonly (readonly [name: string, value: unknown])[] = [
    ['User', instance.get('User')],
    ['Deny', instance.get('Deny')],
    rights === null ? ['AccessRights', 'GenericAll'] : ['ExtendedRights', rights],
  ];
  return new Map([...own, ...bound, ['Identity', bound.has('Instance') ? instance.get('Identity') : instance]]);
}

/** The entries that a line speaks of. Throws CmdletError. */
async function acesOf(context: CmdletContext, bound: BoundParameters): Promise<readonly Ace[]> {
  const sid = await userSid(context, bound);
  const deny = isOn(bound, 'Deny');
  const names = textsOf(bound, 'ExtendedRights').flatMap((name) => name.split(','));
  const access = textsOf(bound, 'AccessRights').flatMap((name) =>
    name.split(',').map((one) => one.trim().toLowerCase()),
  );
  if (access.some((name) => name !== 'extendedright' && name !== 'genericall'))
    throw notImplemented('AccessRights other than ExtendedRight');
  if (names.length === 0 && access.length === 0) {
    throw missingArgument('ExtendedRights', 'It is needed: the right, such as ms-Exch-SMTP-Accept-Any-Recipient.');
  }
  const fault = names.length === 0 ? undefined : checkRights(names);
  if (fault !== undefined) throw badArgument('ExtendedRights', fault);
  const wanted: readonly (Right | 'All')[] =
    names.length === 0 ? ['All'] : names.flatMap((name) => rightOfName(name) ?? []);
  return wanted.map((right) => ace(sid, right, deny));
}

async function writeTarget(context: CmdletContext, target: Target, acl: readonly Ace[]): Promise<void> {
  const [before = 'D:'] = target.entry.values('nTSecurityDescriptor');
  const after = writeAcl(acl, before);
  const modification = {
    operation: 'replace',
    attribute: 'nTSecurityDescriptor',
    values: [Buffer.from(after)],
  } as const;
  await inDirectory(target.identity, () => context.store.together([modifyUnchanged(target.entry, [modification])]));
  context.changed({
    object: target.identity,
    dn: target.entry.dn,
    properties: [{ name: 'nTSecurityDescriptor', before, after }],
  });
}

async function warnRelay(context: CmdletContext, { entry }: Target): Promise<void> {
  const [now] = await context.store.search(entry.dn, 'base');
  if (
    now === undefined ||
    !now.values('objectClass').some((one) => one.toLowerCase() === receiveConnector.objectClass.toLowerCase())
  )
    return;
  const decoded = tryDecode(receiveConnector, now, context.role);
  if (decoded.ok) warnOpenRelay(context, decoded.object);
}

/** Gives what is missing; the entries that were added. */
async function addRights(context: CmdletContext, line: BoundParameters): Promise<readonly CmdletObject[]> {
  refuseOthers(line);
  const bound = withInstance(line);
  const target = await findTarget(context, bound);
  const wanted = await acesOf(context, bound);
  const nameOf = await shownNames(
    context,
    wanted.map(({ sid }) => sid),
  );
  const missing = wanted.filter((one) => !target.acl.some((there) => !there.inherited && sameAce(there, one)));
  for (const one of wanted.filter((each) => !missing.includes(each))) {
    context.warning(
      `The appropriate access control entry is already present on the object "${target.entry.dn}" for account "${nameOf(one.sid)}".`,
    );
  }
  if (missing.some(({ sid }) => /^S-1-5-(?:10|18|20|32-\d+)$/.test(sid)))
    context.warning(
      `No session is ever "${missing[0]?.principal}": the entry has no effect. A group of this server is ${context.serverName}\\name.`,
    );
  for (const { right } of missing) {
    const idle = right === 'All' ? undefined : withoutEffect(right);
    if (idle !== undefined) context.warning(`${right} is kept, and has no effect: ${idle}.`);
  }
  if (missing.length === 0) return [];
  const action = 'Adding Active Directory permission';
  if (!(await context.shouldProcess({ action, target: target.identity, impact: 'Medium' }))) return [];
  await writeTarget(context, target, [...target.acl, ...missing]);
  await warnRelay(context, target);
  return missing.map((one) => accessEntry(target.identity, one, nameOf(one.sid)));
}

async function removeRights(context: CmdletContext, line: BoundParameters): Promise<void> {
  refuseOthers(line);
  const bound = withInstance(line);
  const target = await findTarget(context, bound);
  const unwanted = await acesOf(context, bound);
  const nameOf = await shownNames(
    context,
    unwanted.map(({ sid }) => sid),
  );
  const isUnwanted = (there: Ace): boolean => unwanted.some((one) => sameAce(there, one));
  for (const one of unwanted.filter((each) => !target.acl.some((there) => sameAce(there, each)))) {
    const state = one.deny ? 'denied to' : 'given to';
    context.warning(`The right ${one.right} is not ${state} "${nameOf(one.sid)}" on the object "${target.identity}".`);
  }
  if (target.acl.some((there) => there.inherited && isUnwanted(there)))
    context.warning(`An inherited entry on the object "${target.identity}" stays: it is changed where it comes from.`);
  if (!target.acl.some((there) => !there.inherited && isUnwanted(there))) return;
  const action = 'Removing Active Directory permission';
  if (!(await context.shouldProcess({ action, target: target.identity, impact: 'High' }))) return;
  const kept = target.acl.filter((there) => there.inherited || !isUnwanted(there));
  await writeTarget(context, target, kept);
}

const getADPermission: Cmdlet = {
  name: 'Get-ADPermission',
  synopsis: 'Shows the rights on a connector.',
  parameters: parametersOf(knownCmdlet('Get-ADPermission'), undefined, parameterChecks),
  supportsShouldProcess: false,
  examples: [
    {
      line: "Get-ReceiveConnector | Get-ADPermission -User 'NT AUTHORITY\\ANONYMOUS LOGON' | Format-Table User,ExtendedRights,Deny",
      says: 'What anyone may do without logging on.',
    },
  ],
  async *run(context, bound) {
    if (bound.has('Owner')) throw notImplemented('The parameter Owner');
    const { identity, acl } = await findTarget(context, bound);
    const sid = bound.has('User') ? await userSid(context, bound) : undefined;
    const shown = acl.filter((one) => sid === undefined || one.sid === sid);
    const nameOf = await shownNames(
      context,
      shown.map((one) => one.sid),
    );
    for (const one of shown) yield accessEntry(identity, one, nameOf(one.sid));
  },
};

const addADPermission: Cmdlet = {
  name: 'Add-ADPermission',
  synopsis: 'Gives or denies a right on a connector.',
  parameters: parametersOf(knownCmdlet('Add-ADPermission'), undefined, parameterChecks),
  supportsShouldProcess: true,
  examples: [
    {
      line: "Get-ReceiveConnector | Add-ADPermission -User 'NT AUTHORITY\\ANONYMOUS LOGON' -ExtendedRights ms-Exch-SMTP-Accept-Any-Sender",
      says: 'Anyone may use any sender address.',
    },
  ],
  async *run(context, line) {
    yield* await onNewestState(context, (once) => addRights(once, line));
  },
};

const removeADPermission: Cmdlet = {
  name: 'Remove-ADPermission',
  synopsis: 'Takes back a right on a connector.',
  parameters: parametersOf(knownCmdlet('Remove-ADPermission'), undefined, parameterChecks),
  supportsShouldProcess: true,
  examples: [
    {
      line: "Get-ReceiveConnector | Remove-ADPermission -User 'NT AUTHORITY\\ANONYMOUS LOGON' -ExtendedRights ms-Exch-SMTP-Accept-Authoritative-Domain-Sender -Confirm:$false",
      says: 'Nobody may send as one of your own domains without logging on.',
    },
  ],
  run: (context, line) => quietly(() => onNewestState(context, (once) => removeRights(once, line))),
};

/** The permission cmdlets. */
export const adPermissionCmdlets: readonly Cmdlet[] = [getADPermission, addADPermission, removeADPermission];
