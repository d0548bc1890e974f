/** The user of Test-ReceiveConnector: whose SIDs the session has. */
import { principalName, wellKnownSids } from '../../config/index.ts';
import { accountNames, accountSid, groupSids } from '../directory-objects.ts';
import type { CmdletContext } from '../runtime.ts';

/** Who logs on. */
export interface LoggedOn {
  /** As Add-ADPermission takes it. */
  readonly name: string;
  readonly sids: readonly string[];
  /** What is known of it. */
  readonly known: string;
}

/** An account of this server by its name or SID, with its groups; a user of the organization by SID. */
export async function whoIs(context: CmdletContext, user: string): Promise<LoggedOn> {
  const everybody = [wellKnownSids.authenticatedUsers, wellKnownSids.everyone];
  const accounts = await accountNames(context);
  const given = /^S-1-[\d-]+$/i.test(user) ? user.toUpperCase() : undefined;
  const sid = given ?? accountSid(accounts, user);
  const name = sid === undefined ? undefined : accounts.get(sid);
  if (sid !== undefined && name !== undefined) {
    const groups = await groupSids(context, name);
    const member = groups.map((one) => accounts.get(one) ?? one).join(', ');
    const known = `the account ${name} has the SID ${sid}${member === '' ? '' : ` and is a member of ${member}`}`;
    return { name, sids: [sid, ...groups, ...everybody], known };
  }
  if (given !== undefined) return { name: given, sids: [given, ...everybody], known: 'its groups are not known here' };
  const known = `this server has no account ${user}: it has the rights of every user (of one of the organization give the SID)`;
  return { name: principalName(wellKnownSids.authenticatedUsers), sids: everybody, known };
}
