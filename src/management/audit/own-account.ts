import { ownAccountName } from '../../processes/accounts/index.ts';

/** The account of this process, and who became it by sudo: `root (alice by sudo)`. */
export function ownAccount(environment: NodeJS.ProcessEnv = process.env): string {
  return accountText(ownAccountName(), environment['SUDO_USER']);
}

/** Only letters, digits and a few signs: the name goes into a log. */
export function accountText(account: string, sudoer = ''): string {
  const isName = /^[\w.@\\-]{1,64}$/.test(sudoer);
  return account === 'root' && isName && sudoer !== 'root' ? `${account} (${sudoer} by sudo)` : account;
}
