/** Checks the names and passwords of SMTP clients against the accounts of this directory. */
import type { Clock } from '../../base/index.ts';
import { Argon2Hasher, type DirectoryStore, StoreAuthenticator } from '../../directory/index.ts';
import { escapeDnValue, LdapError } from '../../ldap/index.ts';
import type { LogonOutcome, LogonQuestion } from '../../processes/index.ts';

export interface LogonServiceParts {
  readonly store: DirectoryStore;
  readonly clock: Clock;
  /** Where accounts lie: `CN=Services,<configuration>`. */
  readonly servicesDn: string;
  readonly report?: (error: unknown) => void;
}

/**
 * Counts apart from the LDAP face: who guesses at the mail port locks nobody out of the directory. Administrators of the directory
 * are refused here like strangers: their password is not one for mail programs, and the mail port must not confirm it.
 */
export class LogonService {
  readonly #accounts: StoreAuthenticator;
  readonly #servicesDn: string;
  readonly #report: ((error: unknown) => void) | undefined;

  constructor({ store, clock, servicesDn, report }: LogonServiceParts) {
    this.#servicesDn = servicesDn;
    this.#report = report;
    this.#accounts = new StoreAuthenticator({
      store,
      clock,
      hasher: new Argon2Hasher(),
      ...(report === undefined ? {} : { report }),
    });
    store.onChange((changes) => this.#accounts.changed(changes));
  }

  async check({ name, password, address }: LogonQuestion): Promise<LogonOutcome> {
    const account = `CN=${escapeDnValue(name)},${this.#servicesDn}`;
    const peer = { transport: 'tcp', address, port: 0, confidential: true, tls: true } as const;
    try {
      const { kind, dn } = await this.#accounts.authenticate(account, Buffer.from(password, 'base64'), peer);
      return { kind: kind === 'account' ? 'accepted' : 'refused', dn };
    } catch (error) {
      if (error instanceof LdapError && error.code === 'invalidCredentials') return { kind: 'refused', dn: '' };
      if (!(error instanceof LdapError)) this.#report?.(error);
      return { kind: 'unavailable', dn: '' };
    }
  }
}
