/** Accounts kept in the directory: entries of class edgeAccount directly below `CN=Services` of the configuration, as in AD LDS. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../../base/index.ts';
import { Dn, LdapError, parseGeneralizedTime } from '../../../ldap/index.ts';
import type { Change, DirectoryEntry, DirectoryReader, DirectoryWriter } from '../../store/entries/contract.ts';
import { type Attempt, defaultLockout, FailedBinds, type LockoutPolicy } from './failed-binds.ts';
import type { HashRequester } from './hash-queue.ts';
import { type Authenticator, BindRefusal, type Peer, type PeerCertificate, type Principal } from './identity.ts';
import type { PasswordHasher } from './password.ts';
import { isLoopback, networkOf, sourceOf } from './peer.ts';

export interface StoreAuthenticatorParts {
  readonly store: DirectoryReader & Pick<DirectoryWriter, 'modify'>;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly lockout?: LockoutPolicy;
  /** Takes the error when a source that an account bound from cannot be kept. */
  readonly report?: (error: unknown) => void;
  /** Whether an account may do everything. Default: the members of `CN=Administrators,CN=Roles,<configuration>`, as in AD LDS. */
  readonly isAdministrator?: (account: DirectoryEntry) => boolean;
  /** Whether an entry of this name may be an account. Default: those directly below `CN=Services,<configuration>`. */
  readonly isAccountName?: (name: Dn) => boolean;
}

/** Passwords that one account may have at a time, as while one replaces the other. */
const maxPasswords = 5;
/** Attribute that keeps where an account has bound from, as `sourceOf` writes it. */
const knownSources = 'edgeKnownSource';
const maxKnownSources = 16;
/** `::1` as `sourceOf` writes it; '' is the local socket. */
const ownAddresses: ReadonlySet<string> = new Set(['127.0.0.1', sourceOf('::1'), '']);

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
    const source = sourceOf(peer.address);
    // This machine is known everywhere; what guesses there is locked like any other.
    const known = isLoopback(peer.address) || this.#parts.store.get(dn)?.values(knownSources).includes(source) === true;
    const attempt = { account: this.#keyOf(dn), source, network: networkOf(peer.address), known };
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
    const holders = this.#holdersOf(certificate);
    const account = holders.find(({ dn }) => dn === named?.dn) ?? (holders.length > 0 ? onlyOf(holders) : named);
    if (account === undefined) throw refused('no account has this certificate');
    const reason = this.#unusable(account, now);
    if (reason !== undefined) throw refused(reason);
    return this.#principal(account);
  }

  current({ dn }: Principal): Principal | undefined {
    const { store, clock } = this.#parts;
    const account = store.get(dn);
    return account === undefined || this.#unusable(account, clock.now()) !== undefined
      ? undefined
      : this.#principal(account);
  }

  changed(changes: readonly Change[]): void {
    for (const { dn, attributes } of changes) {
      if (attributes.some((name) => liftsLock.has(name))) this.#failed.forget(this.#keyOf(Dn.parse(dn)));
    }
  }

  async #attempt(attempt: Attempt, dn: Dn, password: Buffer): Promise<Principal> {
    const { store } = this.#parts;
    const lock = this.#failed.begin(attempt);
    await this.#wait(this.#failed.slowness(attempt));
    const account = store.get(dn);
    const requester = { source: attempt.source, known: this.#isKnownSource(attempt.source) };
    const reason = lock === undefined ? await this.#reasonAgainst(account, password, requester) : `locked: ${lock}`;
    if (account !== undefined && reason === undefined) {
      this.#failed.succeeded(attempt);
      await this.#remember(account, attempt);
      return this.#principal(account);
    }
    await this.#wait(this.#failed.failed(attempt, lock));
    throw refused(reason ?? 'no such account');
  }

  /** The wait is the client's: a timer of the clock does not keep the process, nor should it. */
  async #wait(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => void this.#parts.clock.after(ms, resolve));
  }

  /** Keeps the source with the account, so that guesses of others do not slow it down there, also after a restart. */
  async #remember({ dn }: DirectoryEntry, { source, known }: Attempt): Promise<void> {
    const { store } = this.#parts;
    if (known || source === '') return;
    try {
      const kept = store.get(dn)?.values(knownSources) ?? [];
      const values = [...kept.slice(1 - maxKnownSources), source].map((one) => Buffer.from(one));
      await store.modify(dn, [{ operation: 'replace', attribute: knownSources, values }], { actor: '', system: true });
    } catch (error) {
      // Who has proved who he is gets in, also when the disk is full: the source only stays unknown.
      this.#parts.report?.(error);
    }
  }

  /** Whether any account has bound from there; the tools of this machine come from its two usual addresses. */
  #isKnownSource(source: string): boolean {
    return ownAddresses.has(source) || this.#parts.store.lookupEquality(knownSources, source).length > 0;
  }

  async #reasonAgainst(
    account: DirectoryEntry | undefined,
    password: Buffer,
    requester: HashRequester,
  ): Promise<string | undefined> {
    // Also for an unknown or disabled account: the time of the answer must tell nothing.
    const right = await this.#verify(account, password, requester);
    if (account === undefined) return 'no such account';
    return right ? this.#unusable(account, this.#parts.clock.now()) : 'wrong password';
  }

  async #verify(account: DirectoryEntry | undefined, password: Buffer, requester: HashRequester): Promise<boolean> {
    const { hasher } = this.#parts;
    const stored = account?.values('userPassword') ?? [];
    if (stored.length === 0) {
      this.#decoy ??= hasher.hash(Buffer.from('no one has this'));
      await hasher.verify(await this.#decoy, password, requester);
      return false;
    }
    for (const hash of stored.slice(0, maxPasswords)) if (await hasher.verify(hash, password, requester)) return true;
    return false;
  }

  /** Accounts that hold the certificate; those that may not bind only where no other one does. */
  #holdersOf({ raw }: PeerCertificate): readonly DirectoryEntry[] {
    const { store, clock } = this.#parts;
    const holders = store.lookupEquality('userCertificate', raw).filter((entry) => this.#isAccount(entry));
    const usable = holders.filter((entry) => this.#unusable(entry, clock.now()) === undefined);
    return usable.length > 0 ? usable : holders;
  }

  #isAccount(entry: DirectoryEntry): boolean {
    const isAccountName = this.#parts.isAccountName ?? ((name) => this.#isService(name));
    const isOfClass = entry.values('objectClass').some((name) => name.toLowerCase() === 'edgeaccount');
    return isOfClass && isAccountName(Dn.parse(entry.dn));
  }

  /** Connectors and domains lie deeper below CN=Services, where others than administrators may write. */
  #isService({ parent }: Dn): boolean {
    const { schema, namingContexts } = this.#parts.store;
    if (parent === undefined) return false;
    return configurationsOf(namingContexts).some(
      (context) => schema.dnKey(`CN=Services,${context}`)?.equals(schema.keyOf(parent)) === true,
    );
  }

  /** Why an account may not bind now; undefined when it may. */
  #unusable(account: DirectoryEntry, now: number): string | undefined {
    return this.#isAccount(account) ? closedSince(account, now) : 'the entry is no account';
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
    // A digest: what is remembered of a name has a size that its sender does not choose.
    return createHash('sha256').update(this.#parts.store.schema.keyOf(dn)).digest('base64');
  }
}

/** Attributes whose change lets an account bind again after failures. */
const liftsLock: ReadonlySet<string> = new Set(['userPassword', 'edgeLockedUntil']);

/** One text for every reason: a stranger must not learn which it is. */
function refused(reason: string): LdapError {
  return new LdapError('invalidCredentials', 'name or password is wrong', { cause: new BindRefusal(reason) });
}

/** Throws for a certificate that several hold: who of them binds cannot be told, and the reason names all. */
function onlyOf(holders: readonly DirectoryEntry[]): DirectoryEntry | undefined {
  if (holders.length > 1)
    throw refused(`the certificate is held by ${holders.map(({ dn }) => `'${dn}'`).join(' and ')}: leave it with one`);
  return holders[0];
}

/** In any other context whoever may create entries there could make himself a role, or an account. */
const configurationsOf = (contexts: readonly string[]): readonly string[] =>
  contexts.filter((context) => /^CN=Configuration(?:,|$)/i.test(context));

function closedSince(account: DirectoryEntry, now: number): string | undefined {
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
  return configurationsOf(store.namingContexts).some((context) => {
    const role = store.get(`CN=Administrators,CN=Roles,${context}`);
    return role?.values('member').some((member) => schema.dnKey(member)?.equals(key) === true) === true;
  });
}
