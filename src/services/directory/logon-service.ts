/** Checks the names, passwords and certificates of SMTP clients: by the accounts of this directory, else by the organization's. */
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/index.ts';
import { Argon2Hasher, type DirectoryStore, type PasswordHasher, StoreAuthenticator } from '../../directory/index.ts';
import { Dn, equals, escapeDnValue, LdapError, sidOfGuid } from '../../ldap/index.ts';
import type { LogonOutcome, LogonQuestion } from '../../processes/index.ts';
import type { DirectoryLogon, DirectoryLogonSettings } from './directory-logon.ts';

export interface LogonServiceParts {
  readonly store: DirectoryStore;
  readonly clock: Clock;
  /** Where accounts lie: `CN=Services,<configuration>`. */
  readonly servicesDn: string;
  /** Where their groups lie: `CN=Roles,<configuration>`. */
  readonly rolesDn: string;
  /** Who knows the accounts that are not here. */
  readonly organization: Pick<DirectoryLogon, 'check'>;
  /** Which directory that is; undefined: none is asked. */
  readonly settings: () => DirectoryLogonSettings | undefined;
  readonly report?: (error: unknown) => void;
  /** Default: argon2id with the cost of the directory. */
  readonly hasher?: PasswordHasher;
}

const refused: LogonOutcome = { kind: 'refused', name: '', sids: [] };

/**
 * Counts apart from the LDAP face: who guesses at the mail port locks nobody out of the directory. Administrators of the directory
 * are refused here like strangers: their password is not one for mail programs, and the mail port must not confirm it.
 */
export class LogonService {
  readonly #parts: LogonServiceParts;
  readonly #accounts: StoreAuthenticator;

  constructor(parts: LogonServiceParts) {
    this.#parts = parts;
    const { store, clock, report } = parts;
    this.#accounts = new StoreAuthenticator({
      store,
      clock,
      hasher: parts.hasher ?? new Argon2Hasher(),
      ...(report === undefined ? {} : { report }),
    });
    store.onChange((changes) => this.#accounts.changed(changes));
  }

  check(question: LogonQuestion): Promise<LogonOutcome> {
    const { certificate } = question;
    if (certificate !== '') return this.#outcome(() => this.#byCertificate(Buffer.from(certificate, 'base64')));
    const { store, servicesDn, organization, settings } = this.#parts;
    const { name, address } = question;
    const password = Buffer.from(question.password, 'base64');
    const account = `CN=${escapeDnValue(name)},${servicesDn}`;
    const elsewhere = settings();
    if (elsewhere !== undefined && store.get(account) === undefined)
      return organization.check(elsewhere, { name, password: password.toString(), address });
    const peer = { transport: 'tcp', address, port: 0, confidential: true, tls: true } as const;
    return this.#outcome(() => this.#accounts.authenticate(account, password, peer));
  }

  /** Of the account, and of the groups that name it as a member. */
  #sidsOf(dn: string): readonly string[] {
    const { store, rolesDn } = this.#parts;
    const account = store.get(dn);
    const groups = store.search({ base: rolesDn, scope: 'one', filter: equals('member', dn) });
    const entries = account === undefined ? [] : [account, ...groups];
    return entries.flatMap((entry) => entry.buffers('objectGUID').slice(0, 1).map(sidOfGuid));
  }

  /** The account that holds this very certificate: no authority has to speak for it. */
  #byCertificate(raw: Buffer): ReturnType<StoreAuthenticator['authenticate']> {
    const { subject, validFrom, validTo } = new X509Certificate(raw);
    return this.#accounts.authenticateCertificate({
      subject,
      raw,
      notBefore: Date.parse(validFrom),
      notAfter: Date.parse(validTo),
      trusted: false,
    });
  }

  async #outcome(authenticate: () => ReturnType<StoreAuthenticator['authenticate']>): Promise<LogonOutcome> {
    try {
      const { kind, dn } = await authenticate();
      if (kind !== 'account') return refused;
      return { kind: 'accepted', name: nameOf(dn), sids: this.#sidsOf(dn) };
    } catch (error) {
      if (error instanceof LdapError && error.code === 'invalidCredentials') return refused;
      if (!(error instanceof LdapError)) this.#parts.report?.(error);
      return { kind: 'unavailable', name: '', sids: [] };
    }
  }
}

/** The account's name as clients give it. */
function nameOf(dn: string): string {
  return Dn.parse(dn).rdns[0]?.[0]?.value.toString() ?? dn;
}
