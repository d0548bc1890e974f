/** User name and password for another server, as a connector keeps them. */
import type { Syntax } from '../properties/property.ts';

export interface Credential {
  readonly userName: string;
  /** Sealed by the machine that uses it; '' while it is still in `clear`. */
  readonly sealed: string;
  /** The password as it was typed, on its way from the shell to the seal. It is never written. */
  readonly clear?: string;
}

/** What a sealed password is bound to: moved to another user or another kind of object it does not open. */
export function credentialPurpose({ userName }: Pick<Credential, 'userName'>): string {
  return `AuthenticationCredential ${userName}`;
}

interface PSCredential {
  get(name: string): unknown;
}

export const credential: Syntax<Credential | null> = {
  type: 'PSCredential',
  parse(value) {
    if (value === null) return null;
    const userName = isObject(value) ? value.get('UserName') : undefined;
    const password = isObject(value) ? value.get('Password') : undefined;
    if (typeof userName !== 'string' || userName === '' || !isSecret(password)) {
      throw new RangeError('a credential is needed, as (Get-Credential) gives one');
    }
    if (/[\0\r\n]/.test(userName + password.reveal())) throw new RangeError('user name and password are one line each');
    return { userName, sealed: '', clear: password.reveal() };
  },
  read([text = '']) {
    const space = text.indexOf(' ');
    if (space < 1) throw new RangeError('the credential is not one that was sealed here: set it anew');
    return { userName: decodeURIComponent(text.slice(space + 1)), sealed: text.slice(0, space) };
  },
  write(value) {
    if (value === null) return [];
    if (value.sealed === '') throw new RangeError('a password is never written in clear');
    return [`${value.sealed} ${encodeURIComponent(value.userName)}`];
  },
  show: (value) => (value === null ? null : 'System.Management.Automation.PSCredential'),
};

function isObject(value: unknown): value is PSCredential {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}

function isSecret(value: unknown): value is { reveal(): string } {
  return typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function';
}
