/** Accounts kept in the directory: class edgeAccount, or anything with userPassword. */
import type { Clock } from '../../../base/index.ts';
import { Dn, LdapError, parseGeneralizedTime } from '../../../ldap/index.ts';
import type { Change, DirectoryEntry, DirectoryReader } from '../../store/contract.ts';
import { type Attempt, defaultLockout, FailedBinds, type LockoutPolicy } from './failed-binds.ts';
import { type Authenticator, BindRefusal, type Peer, type PeerCertificate, type Principal } from './identity.ts';
import type { PasswordHasher } from './password.ts';
import { sourceOf } from './peer.ts';

export interface StoreAuthenticatorParts {
  readonly store: DirectoryReader;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly lockout?: LockoutPolicy;
  /** Whether an account may do everything. Default: the members of `CN=Administrators,CN=Roles,<configuration>`, as in AD LDS. */
  readonly isAdministrator?: (account: DirectoryEntry) => boolean;
}

/** Passwords that one account may have at a time, as while one replaces the other. */
const maxPasswords = 5;

export class StoreAuthenticator implements Authenticator {
  readonly #parts: StoreAuthenticatorParts;
  readonly #failed: FailedBinds;
  #decoy: Promise<string> | undefined;

  constructor(parts: StoreAuthenticatorParts) {
    this.#parts = parts;
    this.#failed = new FailedBinds(parts.lockout ?? defaultLockout, parts.clock);
  }

  async authenticate(name: string, password: Buffer, peer: Peer): Promise<Principal> {
    const dn = Dn.parse(name);
    const attempt = { account: this.#keyOf(dn), source: sourceOf(peer.address) };
    return this.#failed.inTurn(attempt, () => this.#attempt(attempt, dn, password));
  }

  /**
   * The account that holds this very certificate in userCertificate: then the certificate needs no authority, as those that
   * servers make for themselves have none. Else, where TLS has checked the chain by authorities that speak for this directory,
   * the account whose name is the subject.
   */
  async authenticateCertificate(certificate: PeerCertificate): Promise<Principal> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    if (now < certificate.notBefore || now >= certificate.notAfter) throw refused('the certificate is out of its time');
    const named = certificate.trusted ? store.get(certificate.subject) : undefined;
    const account = this.#holderOf(certificate) ?? named;
    if (account === undefined) throw refused('no account has this certificate');
    const reason = unusable(account, now);
    if (reason !== undefined) throw refused(reason);
    return this.#principal(account);
  }

  current({ dn }: Principal): Principal | undefined {
    const { store, clock } = this.#parts;
    const account = store.get(dn);
    return account === undefined || unusable(account, clock.now()) !== undefined ? undefined : this.#principal(account);
  }

  changed(changes: readonly Change[]): void {
    for (const { dn, attributes } of changes) {
      if (attributes.some((name) => liftsLock.has(name))) this.#failed.forget(this.#keyOf(Dn.parse(dn)));
    }
  }

  async #attempt(attempt: Attempt, dn: Dn, password: Buffer): Promise<Principal> {
    const { store, clock } = this.#parts;
    const lock = this.#failed.begin(attempt);
    const account = store.get(dn);
    const reason = lock === undefined ? await this.#reasonAgainst(account, password) : `locked: ${lock}`;
    if (account !== undefined && reason === undefined) {
      this.#failed.succeeded(attempt);
      return this.#principal(account);
    }
    const waitMs = this.#failed.failed(attempt, lock);
    // The wait is the client's: a timer of the clock would not keep the process, nor should it.
    await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
    throw refused(reason ?? 'no such account');
  }

  async #reasonAgainst(account: DirectoryEntry | undefined, password: Buffer): Promise<string | undefined> {
    // Also for an unknown or disabled account: the time of the answer must tell nothing.
    const right = await this.#verify(account, password);
    if (account === undefined) return 'no such account';
    return right ? unusable(account, this.#parts.clock.now()) : 'wrong password';
  }

  async #verify(account: DirectoryEntry | undefined, password: Buffer): Promise<boolean> {
    const { hasher } = this.#parts;
    const stored = account?.values('userPassword') ?? [];
    if (stored.length === 0) {
      this.#decoy ??= hasher.hash(Buffer.from('no one has this'));
      await hasher.verify(await this.#decoy, password);
      return false;
    }
    for (const hash of stored.slice(0, maxPasswords)) if (await hasher.verify(hash, password)) return true;
    return false;
  }

  #holderOf({ raw }: PeerCertificate): DirectoryEntry | undefined {
    const holders = this.#parts.store.lookupEquality('userCertificate', raw).filter(isAccount);
    return holders.length === 1 ? holders[0] : undefined;
  }

  #principal(account: DirectoryEntry): Principal {
    const isAdministrator = this.#parts.isAdministrator ?? ((entry) => isRoleMember(this.#parts.store, entry));
    const until = timeOf(account, 'edgeAccountExpires');
    return {
      kind: isAdministrator(account) ? 'administrator' : 'account',
      dn: account.dn,
      ...(until !== undefined && { until }),
    };
  }

  #keyOf(dn: Dn): string {
    return this.#parts.store.schema.keyOf(dn).toString('latin1');
  }
}

/** Attributes whose change lets an account bind again after failures. */
const liftsLock: ReadonlySet<string> = new Set(['userPassword', 'edgeLockedUntil']);

/** One text for every reason: a stranger must not learn which it is. */
function refused(reason: string): LdapError {
  return new LdapError('invalidCredentials', 'name or password is wrong', { cause: new BindRefusal(reason) });
}

const isAccount = (entry: DirectoryEntry): boolean =>
  entry.values('objectClass').some((name) => name.toLowerCase() === 'edgeaccount');

/** Why an account may not bind now; undefined when it may. */
function unusable(account: DirectoryEntry, now: number): string | undefined {
  if (account.isDeleted) return 'no such account';
  const is = (attribute: string): boolean => account.values(attribute).some((value) => value.toUpperCase() === 'TRUE');
  if (is('edgeAccountDisabled') || is('msDS-UserAccountDisabled')) return 'the account is disabled';
  if ((timeOf(account, 'edgeAccountExpires') ?? Infinity) <= now) return 'the account has expired';
  return (timeOf(account, 'edgeLockedUntil') ?? 0) > now ? 'the account is locked by an administrator' : undefined;
}

function timeOf(account: DirectoryEntry, attribute: string): number | undefined {
  const [text] = account.values(attribute);
  return text === undefined ? undefined : parseGeneralizedTime(text);
}

function isRoleMember(store: DirectoryReader, account: DirectoryEntry): boolean {
  const { schema } = store;
  const key = schema.keyOf(Dn.parse(account.dn));
  // Only there: whoever may create entries in another context must not make himself a role in it.
  return store.namingContexts
    .filter((context) => /^CN=Configuration(?:,|$)/i.test(context))
    .some((context) => {
      const role = store.get(`CN=Administrators,CN=Roles,${context}`);
      return role?.values('member').some((member) => schema.dnKey(member)?.equals(key) === true) === true;
    });
}
