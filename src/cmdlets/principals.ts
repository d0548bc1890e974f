/** Whom a name means in rights: well-known principals, accounts and groups of this server, users and groups of the organization. */
import { nearestNameHint } from '../base/index.ts';
import { principalName, sidOf, wellKnownPrincipals } from '../config/index.ts';
import { accountNames, accountSid, groupSids } from './directory-objects.ts';
import { badArgument } from './parameter-values.ts';
import { type CmdletContext, CmdletError } from './runtime.ts';

/** A principal that was found. */
export interface FoundPrincipal {
  readonly sid: string;
  /** As it is shown, and taken again. */
  readonly name: string;
  /** SIDs of its groups, as far as they are known. */
  readonly groups: readonly string[];
}

/** Without a SID: nobody has the name, for the reason that stands there. */
type Resolved = FoundPrincipal | { readonly sid: undefined; readonly reason: string };

/** `CORP\\alice`, `alice@corp.example`, a DN, or a name alone: whether there is one, a directory knows. */
const accountName =
  /^(?!(?:builtin|nt authority|ms exchange)\\)(?:[^"/\\[\]:;|=,+*?<>@]+\\)?[^"/\\[\]:;|=,+*?<>@]+(?:@[\w.-]+)?$/i;
const distinguishedName = /^\w[\w.-]*=[^,]/;

const otherNames =
  "accounts and groups of this server (name or SERVER\\name), users and groups of the organization's directory where this server reads it, and SIDs";

/** What is wrong with a name before any directory is asked; undefined: it may be somebody's. */
export function principalFault(text: string): string | undefined {
  if (text === '' || sidOf(text) !== undefined || distinguishedName.test(text)) return undefined;
  const hint = nearestNameHint(text, wellKnownPrincipals);
  // A name with a blank is a principal of Windows, misspelt, rather than an account.
  if (accountName.test(text) && (hint === '' || !/\s/.test(text))) return undefined;
  return `There is no principal '${text}'.${hint} Known are ${wellKnownPrincipals.join(', ')}, ${otherNames}.`;
}

/** Throws CmdletError for a name of several, and where the directory cannot be asked. */
export async function resolvePrincipal(context: CmdletContext, text: string): Promise<Resolved> {
  const accounts = await accountNames(context);
  const known = sidOf(text);
  const sid = known ?? accountSid(accounts, text);
  const account = sid === undefined ? undefined : accounts.get(sid);
  if (sid !== undefined && account !== undefined)
    return { sid, name: account, groups: await groupSids(context, account) };
  if (known !== undefined && principalName(known) !== known)
    return { sid: known, name: principalName(known), groups: [] };
  return known === undefined ? inOrganization(context, text) : bySid(context, known);
}

/** As `resolvePrincipal`, where it must be somebody. Throws CmdletError. */
export async function principalSid(context: CmdletContext, text: string): Promise<string> {
  const fault = principalFault(text);
  if (fault !== undefined) throw badArgument('User', fault);
  const sid = sidOf(text);
  if (sid !== undefined) return sid;
  const found = await resolvePrincipal(context, text);
  if (found.sid !== undefined) return found.sid;
  const own = [...(await accountNames(context)).values()].map((name) => name.slice(name.indexOf('\\') + 1));
  const hint = nearestNameHint(text.slice(text.indexOf('\\') + 1), [...own, ...wellKnownPrincipals]);
  throw badArgument('User', `There is no principal '${text}'.${hint} ${found.reason}`);
}

/** Names of SIDs for showing: a directory that cannot be asked is a warning, and SIDs stay. */
export async function shownNames(context: CmdletContext, sids: readonly string[]): Promise<(sid: string) => string> {
  const accounts = await accountNames(context);
  const isForeign = (sid: string): boolean => !accounts.has(sid) && principalName(sid) === sid;
  const foreign = [...new Set(sids)].filter(isForeign);
  const named = await organizationNames(context, foreign);
  return (sid) => accounts.get(sid) ?? named.get(sid) ?? principalName(sid);
}

async function organizationNames(
  { edgeSync, warning }: Pick<CmdletContext, 'edgeSync' | 'warning'>,
  sids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (edgeSync?.kind !== 'inside' || sids.length === 0) return new Map();
  try {
    return await edgeSync.principalNames(sids);
  } catch (error) {
    warning(`SIDs of the organization are shown without their names: ${reasonOf(error)}.`);
    return new Map();
  }
}

const giveSid =
  "Give the SID of a user or group of the organization: (Get-ADUser alice).SID on a domain controller, 'wbinfo -n alice' of Samba.";

const unnamed =
  "No directory of the organization is named on this server: 'edge sync init --source ldaps://dc1.corp.example --bind-dn … --password-file …' on its state does, and its names are known then.";

async function inOrganization(context: CmdletContext, name: string): Promise<Resolved> {
  const { edgeSync, serverName } = context;
  const own = `This server has no account or group of that name ('edge directory account list' shows the accounts).`;
  const prefix = /^([^\\]+)\\/.exec(name)?.[1];
  if (prefix?.toLowerCase() === serverName.toLowerCase()) return { sid: undefined, reason: own };
  if (edgeSync?.kind !== 'inside')
    return {
      sid: undefined,
      reason: `${own} Names of the organization are not known to an edge: nothing of them is published to the perimeter. ${giveSid}`,
    };
  const found = await asked(name, () => edgeSync.principals(name));
  if (found === undefined) return { sid: undefined, reason: `${own} ${unnamed} ${giveSid}` };
  const [first, second] = found;
  if (first === undefined)
    return {
      sid: undefined,
      reason: `${own} The directory that EdgeSync reads here has none either: DOMAIN\\name, name@domain, a DN and a name alone are sought in it.`,
    };
  if (second !== undefined) {
    const names = found.map((one) => one.name).join(', ');
    throw badArgument(
      'User',
      `'${name}' is the name of several in the organization's directory: ${names}. Give one of these.`,
    );
  }
  return principal(first);
}

/** A SID is somebody, whether it is known here or not. */
async function bySid({ edgeSync }: CmdletContext, sid: string): Promise<FoundPrincipal> {
  const found = edgeSync?.kind === 'inside' ? await asked(sid, () => edgeSync.principals(sid)) : undefined;
  return found?.[0] === undefined ? { sid, name: sid, groups: [] } : principal(found[0]);
}

function principal({
  name,
  sids: [sid = '', ...groups],
}: {
  readonly name: string;
  readonly sids: readonly string[];
}): FoundPrincipal {
  return { sid, name, groups };
}

async function asked<T>(target: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const text = `'${target}' cannot be looked up in the organization's directory: ${reasonOf(cause)}. 'edge sync init' names the directory and the account; a SID (S-1-5-21-…) is taken without asking it.`;
    throw new CmdletError('ADServerUnavailableException', 'ResourceUnavailable', text, { target, cause });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
