/** The user of Test-ReceiveConnector: whose SIDs the session has. */
import { principalName, wellKnownSids } from '../../config/index.ts';
import { accountNames, accountSid } from '../directory-objects.ts';
import type { CmdletContext } from '../runtime.ts';

/** Who logs on. */
export interface LoggedOn {
  /** As Add-ADPermission takes it. */
  readonly name: string;
  readonly sids: readonly string[];
  /** What is known of it. */
  readonly known: string;
}

/** An account of this server by its name, with the server's or without; a user of the organization by SID. */
export async function whoIs(context: CmdletContext, user: string): Promise<LoggedOn> {
  const everybody = [wellKnownSids.authenticatedUsers, wellKnownSids.everyone];
  if (/^S-1-[\d-]+$/i.test(user)) {
    const sid = user.toUpperCase();
    return { name: sid, sids: [sid, ...everybody], known: 'its groups are not known here' };
  }
  const accounts = await accountNames(context);
  const sid = accountSid(accounts, user);
  if (sid !== undefined) {
    const name = accounts.get(sid) ?? user;
    return { name, sids: [sid, ...everybody], known: `the account ${name} has the SID ${sid}` };
  }
  const known = `this server has no account ${user}: it has the rights of every user (of one of the organization give the SID)`;
  return { name: principalName(wellKnownSids.authenticatedUsers), sids: everybody, known };
}
