/** The user of Test-ReceiveConnector: whose SIDs the session has. */
import { principalName, wellKnownSids } from '../../config/index.ts';
import { resolvePrincipal, shownNames } from '../principals.ts';
import type { CmdletContext } from '../runtime.ts';

/** Who logs on. */
export interface LoggedOn {
  /** As Add-ADPermission takes it. */
  readonly name: string;
  readonly sids: readonly string[];
  /** What is known of it. */
  readonly known: string;
}

/** An account of this server, or a user of the organization, by name or SID, with its groups as far as they are known here. */
export async function whoIs(context: CmdletContext, user: string): Promise<LoggedOn> {
  const everybody = [wellKnownSids.authenticatedUsers, wellKnownSids.everyone];
  const found = await resolvePrincipal(context, user);
  if (found.sid === undefined) {
    const known = `it has the rights of every user: ${found.reason}`;
    return { name: principalName(wellKnownSids.authenticatedUsers), sids: everybody, known };
  }
  const { sid, name, groups } = found;
  const sids = [...new Set([sid, ...groups, ...everybody])];
  if (name === sid) return { name, sids, known: 'its groups are not known here' };
  const nameOf = await shownNames(context, groups);
  const member = groups.map(nameOf).join(', ');
  const known = `the account ${name} has the SID ${sid}${member === '' ? '' : ` and is a member of ${member}`}`;
  return { name, sids, known };
}
