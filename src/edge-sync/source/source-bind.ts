/** The password of the source: where it may go, and why it was refused. */
import { isIP } from 'node:net';
import { LdapError, type ResultCodeName } from '../../ldap/index.ts';

/** Throws LdapError: a password never goes in clear to another machine. */
export function refuseClearPassword(url: string, password: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'ldaps:' || password === '' || isLoopback(hostname)) return;
  throw new LdapError('confidentialityRequired', `${url} would get the password in clear: use ldaps://`);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

/** A bind that was refused, by the server's result code and text. */
export function bindRefusal(
  { url, bindDn }: { readonly url: string; readonly bindDn: string },
  code: ResultCodeName | number,
  message: string,
): LdapError {
  const name = typeof code === 'number' ? 'other' : code;
  return new LdapError(name, `${url} refuses to bind as ${bindDn}: ${bindFault(code, message)}`);
}

/** Why a bind was refused, in words: Active Directory says it by a number only ([MS-ERREF] 2.2). */
function bindFault(code: ResultCodeName | number, message: string): string {
  if (code === 'strongerAuthRequired' || code === 'confidentialityRequired')
    return `it takes no password without TLS or signing (${message}): name it as ldaps://`;
  const data = /\bdata (?<data>[0-9a-f]{3})\b/i.exec(message)?.groups?.['data']?.toLowerCase() ?? '';
  const words = windowsFaults[data];
  return words === undefined ? message || String(code) : `${words} (${message})`;
}

const windowsFaults: Readonly<Record<string, string>> = {
  '525': 'there is no such account',
  '52e': 'the name or password is wrong',
  '530': 'the account may not log on at this time',
  '531': 'the account may not log on from here',
  '532': 'the password has expired: set a new one, and let it never expire',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password must be changed before the account can be used',
  '775': 'the account is locked',
};
