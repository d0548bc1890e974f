/** Get-, Add- and Remove-ADPermission: single rights on connectors, beyond what PermissionGroups says. */
import { nearestNameHint } from '../../base/index.ts';
import {
  type Ace,
  ace,
  inheritedSendAcl,
  parseAcl,
  principalName,
  type Right,
  receiveConnector,
  rightOfName,
  rights,
  sameAce,
  sendConnector,
  sidOf,
  tryDecode,
  wellKnownPrincipals,
  withoutEffect,
  writeAcl,
} from '../../config/index.ts';
import type { Entry } from '../../ldap/index.ts';
import { accountNames, accountSid, listObjects, matches, notFound } from '../directory-objects.ts';
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

const checkUser = (value: unknown): string | undefined => {
  const text = isObject(value) ? '' : String(value);
  if (sidOf(text) !== undefined || text === '' || localAccount.test(text) || bareAccount.test(text)) return undefined;
  return noPrincipal(text);
};

const noPrincipal = (text: string): string =>
  `There is no principal '${text}'.${nearestNameHint(text, wellKnownPrincipals)} Known are ${wellKnownPrincipals.join(', ')}, accounts and groups of this server (name or SERVER\\name), and SIDs: give the SID of a user or group of the organization, whose names are not known here.`;

/** `EDGE1\device`: an account of the directory of this server. */
const localAccount = /^(?!builtin\\)([\w.-]+)\\([^\\]+)$/i;

/** `device`: the same by its name alone. Whether there is one only the directory knows. */
const bareAccount = /^[\w.-]+$/;

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

function accessEntry(identity: string, one: Ace, accounts: ReadonlyMap<string, string>): CmdletObject {
  return new CmdletObject('ADAcePresentationObject', [
    ['AccessRights', ['ExtendedRight']],
    ['ExtendedRights', one.right === 'All' ? null : [one.right]],
    ['Deny', one.deny],
    ['InheritanceType', 'All'],
    ['User', accounts.get(one.sid) ?? principalName(one.sid)],
    ['Identity', identity],
    ['IsInherited', one.inherited],
    ['Inherited', one.inherited],
    ['IsValid', true],
  ]);
}

function userSid(bound: BoundParameters, accounts: ReadonlyMap<string, string>): string {
  const name = textOf(bound, 'User');
  if (name === undefined)
    throw missingArgument('User', "It is needed: the principal, such as 'NT AUTHORITY\\ANONYMOUS LOGON'.");
  const fault = checkUser(name);
  const sid = sidOf(name) ?? accountSid(accounts, name);
  if (localAccount.test(name) && sid === undefined)
    throw badArgument(
      'User',
      `This server has no account or group '${name}'. 'edge directory account list' names them; of a user or group of the organization give the SID (objectSid).`,
    );
  if (fault !== undefined || sid === undefined) throw badArgument('User', fault ?? noPrincipal(name));
  return sid;
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
function acesOf(bound: BoundParameters, accounts: ReadonlyMap<string, string>): readonly Ace[] {
  const sid = userSid(bound, accounts);
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
  const accounts = await accountNames(context);
  const wanted = acesOf(bound, accounts);
  const missing = wanted.filter((one) => !target.acl.some((there) => !there.inherited && sameAce(there, one)));
  for (const one of wanted.filter((each) => !missing.includes(each))) {
    context.warning(
      `The appropriate access control entry is already present on the object "${target.entry.dn}" for account "${one.principal}".`,
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
  return missing.map((one) => accessEntry(target.identity, one, accounts));
}

async function removeRights(context: CmdletContext, line: BoundParameters): Promise<void> {
  refuseOthers(line);
  const bound = withInstance(line);
  const target = await findTarget(context, bound);
  const unwanted = acesOf(bound, await accountNames(context));
  const isUnwanted = (there: Ace): boolean => unwanted.some((one) => sameAce(there, one));
  for (const one of unwanted.filter((each) => !target.acl.some((there) => sameAce(there, each)))) {
    const state = one.deny ? 'denied to' : 'given to';
    context.warning(`The right ${one.right} is not ${state} "${one.principal}" on the object "${target.identity}".`);
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
    const accounts = await accountNames(context);
    const sid = bound.has('User') ? userSid(bound, accounts) : undefined;
    for (const one of acl) if (sid === undefined || one.sid === sid) yield accessEntry(identity, one, accounts);
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
