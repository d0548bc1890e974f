/** Accounts kept in the directory: class edgeAccount, or anything with userPassword. */
import { type Clock } from '../../base/index.ts';
import { Dn, LdapError, parseGeneralizedTime } from '../../ldap/index.ts';
import { type DirectoryEntry, type DirectoryReader } from '../store/contract.ts';
import { type Authenticator, type Peer, type PeerCertificate, type Principal } from './identity.ts';
import { type PasswordHasher } from './password.ts';

export interface LockoutPolicy {
  /** Failures in a row after which an account takes no bind from that address. */
  readonly maxFailures: number;
  /** How long it then takes none, in milliseconds; also how long failures are remembered. */
  readonly lockMs: number;
  /** Wait before the answer to a failure; doubles with each one up to sixteen times this. */
  readonly delayMs: number;
}

export const defaultLockout: LockoutPolicy = { maxFailures: 10, lockMs: 15 * 60_000, delayMs: 100 };

export interface StoreAuthenticatorParts {
  readonly store: DirectoryReader;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly lockout?: LockoutPolicy;
  /** Whether an account may do everything. Default: the members of `CN=Administrators,CN=Roles,<configuration>`, as in AD LDS. */
  readonly isAdministrator?: (account: DirectoryEntry) => boolean;
}

interface Failures {
  count: number;
  /** Milliseconds since 1970 at which they are forgotten. */
  until: number;
}

/** Most name-and-address pairs whose failures are remembered; the oldest go first. */
const maxRemembered = 10_000;

export class StoreAuthenticator implements Authenticator {
  readonly #parts: StoreAuthenticatorParts;
  readonly #lockout: LockoutPolicy;
  readonly #failures = new Map<string, Failures>();
  #decoy: Promise<string> | undefined;

  constructor(parts: StoreAuthenticatorParts) {
    this.#parts = parts;
    this.#lockout = parts.lockout ?? defaultLockout;
  }

  async authenticate(name: string, password: Buffer, peer: Peer): Promise<Principal> {
    const { store, clock } = this.#parts;
    const dn = Dn.parse(name);
    const key = `${store.schema.keyOf(dn).toString('latin1')}\0${peer.address}`;
    const failures = this.#failuresOf(key);
    const account = store.get(dn);
    // Also for a locked or unknown account: the time of the answer must tell nothing.
    const right = await this.#verify(account, password);
    if (account !== undefined && right && failures.count < this.#lockout.maxFailures && usable(account, clock.now())) {
      this.#failures.delete(key);
      return this.#principal(account);
    }
    await this.#failed(key, failures);
    throw new LdapError('invalidCredentials', 'name or password is wrong');
  }

  /** The account whose name is the subject of the certificate. TLS has checked the chain. */
  async authenticateCertificate(certificate: PeerCertificate): Promise<Principal> {
    const account = this.#parts.store.get(certificate.subject);
    if (account === undefined || !usable(account, this.#parts.clock.now())) {
      throw new LdapError('invalidCredentials', 'no account has the name of this certificate');
    }
    return this.#principal(account);
  }

  async #verify(account: DirectoryEntry | undefined, password: Buffer): Promise<boolean> {
    const { hasher } = this.#parts;
    const stored = account?.values('userPassword') ?? [];
    if (stored.length === 0) {
      this.#decoy ??= hasher.hash(Buffer.from('no one has this'));
      await hasher.verify(await this.#decoy, password);
      return false;
    }
    for (const hash of stored.slice(0, 5)) if (await hasher.verify(hash, password)) return true;
    return false;
  }

  #failuresOf(key: string): Failures {
    const found = this.#failures.get(key);
    return found !== undefined && found.until > this.#parts.clock.now() ? found : { count: 0, until: 0 };
  }

  async #failed(key: string, failures: Failures): Promise<void> {
    const { clock } = this.#parts;
    const locked = failures.count >= this.#lockout.maxFailures;
    const count = locked ? failures.count : failures.count + 1;
    this.#failures.delete(key);
    this.#failures.set(key, { count, until: locked ? failures.until : clock.now() + this.#lockout.lockMs });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > maxRemembered && oldest !== undefined) this.#failures.delete(oldest);
    const delayMs = this.#lockout.delayMs * 2 ** Math.min(count - 1, 4);
    // The wait is the client's: a timer of the clock would not keep the process, nor should it.
    await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
  }

  #principal(account: DirectoryEntry): Principal {
    const isAdministrator = this.#parts.isAdministrator ?? ((entry) => isRoleMember(this.#parts.store, entry));
    return { kind: isAdministrator(account) ? 'administrator' : 'account', dn: account.dn };
  }
}

function usable(account: DirectoryEntry, now: number): boolean {
  if (account.isDeleted) return false;
  const is = (attribute: string): boolean => account.values(attribute).some((value) => value.toUpperCase() === 'TRUE');
  if (is('edgeAccountDisabled') || is('msDS-UserAccountDisabled')) return false;
  return !expired(account, 'edgeAccountExpires', now) && !expired(account, 'edgeLockedUntil', now, true);
}

/** Whether the time of an attribute is past; with `future`, whether it is still to come. */
function expired(account: DirectoryEntry, attribute: string, now: number, future = false): boolean {
  const [text] = account.values(attribute);
  if (text === undefined) return false;
  const time = parseGeneralizedTime(text);
  return future ? time > now : time <= now;
}

function isRoleMember(store: DirectoryReader, account: DirectoryEntry): boolean {
  const { schema } = store;
  const key = schema.keyOf(Dn.parse(account.dn));
  return store.namingContexts.some((context) => {
    const role = store.get(`CN=Administrators,CN=Roles,${context}`);
    return role?.values('member').some((member) => schema.dnKey(member)?.equals(key) === true) === true;
  });
}
